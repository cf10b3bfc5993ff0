// SPDX-License-Identifier: Apache-2.0
/** The kinds that are watched: one row each. */
import { DEFINITIONS } from "../../crd/definitions.ts";
import type { Store } from "../../model/types.ts";
import { KINDS, type StoredKind } from "../../store/kinds.ts";
import type { Interner } from "./interner.ts";
import {
  trimConfigMap,
  trimCustom,
  trimEndpointSlice,
  trimIngress,
  trimIngressClass,
  trimSecret,
  trimService,
} from "./trim.ts";

type StoredObject<K extends keyof Store> = Store[K] extends ReadonlyMap<string, infer T> ? T : never;

interface Row<K extends keyof Store> {
  readonly plural: string;
  /** Its map in the store. */
  readonly map: K;
  readonly trim: (object: StoredObject<K>, interner: Interner) => StoredObject<K>;
  readonly fieldSelector?: string;
  /** Its definition need not be installed, nor reading it be allowed: nobody waits for it. */
  readonly optional?: true;
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
  /** Only by name: see scopes.ts. */
  ConfigMap: row({ plural: "configmaps", map: "configMaps", trim: trimConfigMap }),
  BackendPolicy: row({
    plural: DEFINITIONS.BackendPolicy.plural,
    map: "backendPolicies",
    trim: trimCustom,
    optional: true,
  }),
  ClientCertificatePolicy: row({
    plural: DEFINITIONS.ClientCertificatePolicy.plural,
    map: "clientCertificatePolicies",
    trim: trimCustom,
    optional: true,
  }),
  TLSProfile: row({
    plural: DEFINITIONS.TLSProfile.plural,
    map: "tlsProfiles",
    trim: trimCustom,
    optional: true,
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

export function isOptional({ kind }: Scope): boolean {
  return (WATCHED[kind] as { optional?: true }).optional === true;
}

/** RBAC that names objects lets them be listed and watched by this selector. */
export function selectorOfScope({ kind, name }: Scope): string | undefined {
  return name === undefined
    ? (WATCHED[kind] as { fieldSelector?: string }).fieldSelector
    : `metadata.name=${name}`;
}
