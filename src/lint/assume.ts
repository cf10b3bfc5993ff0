// SPDX-License-Identifier: Apache-2.0
/**
 * Manifests of an application seldom hold everything that is in the cluster. A kind of which nothing is there is taken not to be part of
 * them: what the Ingresses name of it is assumed to exist, so that everything else can be told.
 */
import type { V1Ingress, V1Secret, V1Service } from "@kubernetes/client-node";
import { generateSelfSigned } from "../apply/self-signed.ts";
import { isHost } from "../model/names.ts";
import type { Store } from "../model/types.ts";

export interface Assumed {
  readonly store: Store;
  /** Kinds, for people. */
  readonly kinds: readonly string[];
  /** Reasons of problems that would only be about what is not part of the manifests. */
  readonly silent: ReadonlySet<string>;
}

const AUTH_SECRET = ["evener.io/auth-tls-secret", "nginx.ingress.kubernetes.io/auth-tls-secret"];
const DAYS = 3650;

export async function assumeMissing(store: Store, now: Date): Promise<Assumed> {
  const ingresses = [...store.ingresses.values()];
  const kinds: string[] = [];
  const silent = new Set<string>();
  let { services, secrets, configMaps } = store;
  if (services.size === 0) {
    services = assumeServices(ingresses);
    if (services.size > 0) kinds.push("Services");
  }
  if (secrets.size === 0) {
    secrets = await assumeSecrets(store, ingresses, now);
    if (secrets.size > 0) kinds.push("Secrets");
  }
  if (configMaps.size === 0 && store.clientCertificatePolicies.size > 0) {
    const { cert } = await generateSelfSigned("assumed", [], now, DAYS, true);
    configMaps = new Map(
      [...store.clientCertificatePolicies.values()].flatMap(({ metadata, spec }) =>
        spec.ca.configMap === undefined
          ? []
          : [[`${metadata?.namespace}/${spec.ca.configMap.name}`, { data: { "ca.crt": cert } }] as const],
      ),
    );
    if (configMaps.size > 0) kinds.push("ConfigMaps");
  }
  // Which pods run is no part of any manifest that people write.
  if (store.endpointSlices.size === 0) silent.add("NoEndpoints");
  return { store: { ...store, services, secrets, configMaps }, kinds, silent };
}

function assumeServices(ingresses: readonly V1Ingress[]): Store["services"] {
  const services = new Map<string, V1Service>();
  for (const { metadata, spec } of ingresses) {
    const paths = (spec?.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
    const backends = [
      ...paths.map(({ backend }) => backend),
      ...(spec?.defaultBackend === undefined ? [] : [spec.defaultBackend]),
    ];
    for (const { service } of backends) {
      if (service === undefined) continue;
      const { namespace = "" } = metadata ?? {};
      const key = `${namespace}/${service.name}`;
      const ports = services.get(key)?.spec?.ports ?? [];
      const { name, number } = service.port ?? {};
      const isThere = ports.some((port) => (name === undefined ? port.port === number : port.name === name));
      // A port by name has some number; which one is for the Service to say.
      const port = { port: number ?? nextPort(ports), ...(name === undefined ? {} : { name }) };
      services.set(key, {
        metadata: { namespace, name: service.name },
        // An address that nobody has (RFC 5737), for who asks for connections to it.
        spec: { clusterIP: "192.0.2.1", ports: isThere ? ports : [...ports, port] },
      });
    }
  }
  return services;
}

function nextPort(ports: readonly { readonly port: number }[]): number {
  let port = 80;
  while (ports.some((one) => one.port === port)) port++;
  return port;
}

async function assumeSecrets(
  store: Store,
  ingresses: readonly V1Ingress[],
  now: Date,
): Promise<Store["secrets"]> {
  const hostsOf = new Map<string, Set<string>>();
  const authorities = new Set<string>();
  for (const { metadata, spec } of ingresses) {
    const { namespace = "", annotations = {} } = metadata ?? {};
    for (const { secretName, hosts } of spec?.tls ?? []) {
      if (secretName === undefined) continue;
      const named = hosts ?? (spec?.rules ?? []).map(({ host }) => host ?? "");
      const key = `${namespace}/${secretName}`;
      hostsOf.set(key, new Set([...(hostsOf.get(key) ?? []), ...named.map((host) => host.toLowerCase())]));
    }
    for (const name of AUTH_SECRET) {
      const secret = annotations[name];
      if (secret !== undefined) authorities.add(secret.includes("/") ? secret : `${namespace}/${secret}`);
    }
  }
  for (const { metadata, spec } of store.clientCertificatePolicies.values()) {
    if (spec.ca.secret !== undefined) authorities.add(`${metadata?.namespace}/${spec.ca.secret.name}`);
  }
  const secrets = new Map<string, V1Secret>();
  for (const [key, hosts] of hostsOf) {
    const { cert, key: pem } = await generateSelfSigned("assumed", [...hosts].filter(isHost), now, DAYS);
    secrets.set(key, makeSecret(key, { "tls.crt": cert, "tls.key": pem }, "kubernetes.io/tls"));
  }
  const [first] = authorities;
  const ca = first === undefined ? undefined : await generateSelfSigned("assumed", [], now, DAYS, true);
  for (const key of authorities) {
    const data = { ...decode(secrets.get(key)), "ca.crt": ca?.cert ?? "" };
    secrets.set(key, makeSecret(key, data, secrets.get(key)?.type ?? "Opaque"));
  }
  return secrets;
}

function makeSecret(key: string, data: Readonly<Record<string, string>>, type: string): V1Secret {
  const [namespace = "", name = ""] = key.split("/");
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString("base64")]);
  return { metadata: { namespace, name }, type, data: Object.fromEntries(encoded) };
}

function decode(secret: V1Secret | undefined): Record<string, string> {
  const data = Object.entries(secret?.data ?? {});
  return Object.fromEntries(data.map(([name, text]) => [name, Buffer.from(text, "base64").toString()]));
}
