// SPDX-License-Identifier: Apache-2.0
import type { V1ObjectMeta } from "@kubernetes/client-node";
import type { ObjectRef } from "./types.ts";

const API_VERSIONS = {
  Ingress: "networking.k8s.io/v1",
  IngressClass: "networking.k8s.io/v1",
  Service: "v1",
  Secret: "v1",
  EndpointSlice: "discovery.k8s.io/v1",
  ConfigMap: "v1",
  BackendPolicy: "evener.io/v1alpha1",
  ClientCertificatePolicy: "evener.io/v1alpha1",
  TLSProfile: "evener.io/v1alpha1",
} as const;

export type Kind = keyof typeof API_VERSIONS;

interface WithMetadata {
  readonly metadata?: V1ObjectMeta;
}

export function refOf(kind: Kind, object: WithMetadata): ObjectRef {
  const { namespace, name = "", uid } = object.metadata ?? {};
  const apiVersion = API_VERSIONS[kind];
  // Made for every object of every rebuild, hence without spreading.
  if (namespace === undefined)
    return uid === undefined ? { apiVersion, kind, name } : { apiVersion, kind, name, uid };
  return uid === undefined
    ? { apiVersion, kind, namespace, name }
    : { apiVersion, kind, namespace, name, uid };
}

/** A file of manifests, for what is wrong before there is an object. */
export function fileRef(name: string): ObjectRef {
  return { apiVersion: "evener.io/v1alpha1", kind: "File", name };
}

/** `Ingress shop/web` */
export function formatRef(ref: ObjectRef): string {
  return `${ref.kind} ${keyOf(ref)}`;
}

/** `namespace/name`, or `name` for what has no namespace: the key of the store's maps. */
export function keyOf(ref: { readonly namespace?: string; readonly name: string }): string {
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** Creation time in milliseconds; objects without one (from files) are all equally old, and oldest. */
export function createdAt(object: WithMetadata): number {
  // The client library yields a Date or, in watch events, the string as it came.
  const stamp: Date | string | undefined = object.metadata?.creationTimestamp;
  if (stamp === undefined || stamp === null) return 0;
  const time = new Date(stamp).getTime();
  return Number.isNaN(time) ? 0 : time;
}

/** Plain code-unit order: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a map holds in the order of its keys, which is that of `compareText`: the engine's own sort of text is twice as fast. */
export function sortedByKey<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map.keys()].sort().map((key) => map.get(key) as T);
}

/** Oldest first, then by namespace and name: who comes first owns what both claim. */
export function sortByAge<T extends WithMetadata>(objects: readonly T[]): readonly T[] {
  return objects
    .map((object) => ({ object, time: createdAt(object), key: ageKey(object) }))
    .sort((a, b) => a.time - b.time || compareText(a.key, b.key))
    .map(({ object }) => object);
}

/** With a NUL between them namespaces are compared whole: `a` and `z` come before `a-b` and `c`. */
function ageKey({ metadata }: WithMetadata): string {
  return `${metadata?.namespace ?? ""}\u0000${metadata?.name ?? ""}`;
}
