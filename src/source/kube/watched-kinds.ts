// SPDX-License-Identifier: Apache-2.0
/** The kinds that are watched: one row each. */
import type { Store } from "../../model/types.ts";
import { KINDS, type StoredKind } from "../../store/kinds.ts";
import type { Interner } from "./interner.ts";
import { trimEndpointSlice, trimIngress, trimIngressClass, trimSecret, trimService } from "./trim.ts";

type StoredObject<K extends keyof Store> = Store[K] extends ReadonlyMap<string, infer T> ? T : never;

interface Row<K extends keyof Store> {
  readonly plural: string;
  /** Its map in the store. */
  readonly map: K;
  readonly trim: (object: StoredObject<K>, interner: Interner) => StoredObject<K>;
  readonly fieldSelector?: string;
}

export const WATCHED = {
  IngressClass: row({ plural: "ingressclasses", map: "ingressClasses", trim: trimIngressClass }),
  Ingress: row({ plural: "ingresses", map: "ingresses", trim: trimIngress }),
  Service: row({ plural: "services", map: "services", trim: trimService }),
  EndpointSlice: row({ plural: "endpointslices", map: "endpointSlices", trim: trimEndpointSlice }),
  Secret: row({
    plural: "secrets",
    map: "secrets",
    trim: trimSecret,
    fieldSelector: "type=kubernetes.io/tls",
  }),
} satisfies Record<StoredKind, unknown>;

function row<K extends keyof Store>(it: Row<K>): Row<K> {
  return it;
}

/** One collection of objects to list and watch. */
export interface Scope {
  readonly kind: StoredKind;
  /** Undefined for the whole cluster. */
  readonly namespace?: string;
  /** Only the object of this name. */
  readonly name?: string;
}

/** Names a scope in logs and problems: `Secret shop/web-tls`, `Ingress shop/*`, `Service`. */
export function formatScope({ kind, namespace, name }: Scope): string {
  if (namespace === undefined) return name === undefined ? kind : `${kind} ${name}`;
  return `${kind} ${namespace}/${name ?? "*"}`;
}

export function pathOfScope({ kind, namespace }: Scope): string {
  const { apiVersion } = KINDS[kind];
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const middle = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${middle}/${WATCHED[kind].plural}`;
}

/** RBAC that names objects lets them be listed and watched by this selector. */
export function selectorOfScope({ kind, name }: Scope): string | undefined {
  return name === undefined
    ? (WATCHED[kind] as { fieldSelector?: string }).fieldSelector
    : `metadata.name=${name}`;
}
