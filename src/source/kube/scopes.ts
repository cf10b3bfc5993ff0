// SPDX-License-Identifier: Apache-2.0
/** Which collections to watch, from the settings and, for Secrets read by name, from the Ingresses. */
import { selectIngresses } from "../../model/ingress-classes.ts";
import { isDnsSubdomain } from "../../model/names.ts";
import { findTlsProfile } from "../../model/tls-profiles.ts";
import type { ModelSettings, Store } from "../../model/types.ts";
import { KINDS, type StoredKind } from "../../store/kinds.ts";
import { type Scope, WATCHED } from "./watched-kinds.ts";

export const SECRET_MODES = ["tls", "named"] as const;
/** All Secrets of type kubernetes.io/tls, or just those that Ingresses name. */
export type SecretMode = (typeof SECRET_MODES)[number];

export interface ScopeSettings {
  readonly model: ModelSettings;
  readonly secrets: SecretMode;
  /** `namespace/name` of a Service to know of, wherever it is. */
  readonly publishService?: string;
}

/** What is watched from the start to the end. */
export function listScopes({ model, secrets, publishService }: ScopeSettings): Scope[] {
  const namespaces = model.watchNamespaces;
  const scopes = (Object.keys(WATCHED) as StoredKind[])
    .filter((kind) => kind !== "ConfigMap" && (kind !== "Secret" || secrets === "tls"))
    .flatMap((kind): Scope[] =>
      namespaces.length === 0 || !KINDS[kind].namespaced
        ? [{ kind }]
        : namespaces.map((namespace) => ({ kind, namespace })),
    );
  const single = (kind: StoredKind, key: string | undefined, covered: boolean) => {
    const [namespace = "", name = ""] = key?.split("/") ?? [];
    const isWatched = covered && (namespaces.length === 0 || namespaces.includes(namespace));
    if (key !== undefined && !isWatched) scopes.push({ kind, namespace, name });
  };
  single("Secret", model.defaultSslCertificate, secrets === "tls");
  single("Service", publishService, true);
  return scopes;
}

/** What other objects refer to and no watch covers. */
export function listNamedScopes(store: Store, { model, secrets }: ScopeSettings): Scope[] {
  const scopes = secrets === "named" ? listNamedSecrets(store, model) : [];
  // Certificates of CAs, too, are seldom of the type that is watched.
  scopes.push(...listClientCas(store));
  for (const { metadata, spec } of store.clientCertificatePolicies.values()) {
    const { namespace } = metadata ?? {};
    const { secret, configMap } = spec.ca;
    // Not of the type that is watched.
    if (secret !== undefined)
      scopes.push({ kind: "Secret", name: secret.name, ...(namespace === undefined ? {} : { namespace }) });
    if (configMap !== undefined)
      scopes.push({
        kind: "ConfigMap",
        name: configMap.name,
        ...(namespace === undefined ? {} : { namespace }),
      });
  }
  const defaultCertificate = findTlsProfile(store, model)?.spec.defaultCertificate;
  if (defaultCertificate !== undefined) {
    const { namespace, name } = defaultCertificate;
    const isWatched = model.watchNamespaces.length === 0 || model.watchNamespaces.includes(namespace);
    if (secrets === "named" || !isWatched) scopes.push({ kind: "Secret", namespace, name });
  }
  return scopes;
}

/** The Secrets that auth-tls-secret names, of whatever class: a Secret more is watched for an Ingress that is not ours. */
function listClientCas(store: Store): Scope[] {
  const scopes = new Map<string, Scope>();
  for (const { metadata } of store.ingresses.values()) {
    for (const prefix of ["evener.io", "nginx.ingress.kubernetes.io"]) {
      const text = metadata?.annotations?.[`${prefix}/auth-tls-secret`]?.trim();
      const namespace = metadata?.namespace ?? "";
      const [name = "", of = namespace] = text?.split("/").toReversed() ?? [];
      // Another namespace's is not for this Ingress.
      if (of !== namespace || !isDnsSubdomain(name)) continue;
      scopes.set(`${namespace}/${name}`, { kind: "Secret", namespace, name });
    }
  }
  return [...scopes.values()];
}

/** The Secrets that our Ingresses name, each once. */
export function listNamedSecrets(store: Store, settings: ModelSettings): Scope[] {
  const scopes = new Map<string, Scope>();
  for (const { metadata, spec } of selectIngresses(store, settings)) {
    for (const { secretName: name } of spec?.tls ?? []) {
      const namespace = metadata?.namespace;
      if (name === undefined || namespace === undefined || !isDnsSubdomain(name)) continue;
      scopes.set(`${namespace}/${name}`, { kind: "Secret", namespace, name });
    }
  }
  return [...scopes.values()];
}
