// SPDX-License-Identifier: Apache-2.0
/**
 * Which certificates are loaded. Hitch serves a certificate for every name in it, whatever spec.tls says, so a
 * certificate is loaded only when each of its names belongs to its namespace. A name belongs to
 *   1. the namespace of the oldest Ingress that lists it in spec.tls, whether or not its Secret is usable;
 *   2. else that of the oldest Ingress with a rule for it;
 *   3. else that of the oldest Ingress whose certificate has it.
 * A wildcard is a name of its own: an exact name beats it in Hitch, so both may have different owners.
 */
import type { V1Ingress } from "@kubernetes/client-node";
import { isHost } from "./names.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { formatRef, refOf } from "./refs.ts";
import type { Candidate, TlsRequests } from "./tls.ts";
import type { ObjectRef } from "./types.ts";

/** The candidates that may be loaded, in the order of their age. */
export function selectOwned(
  ingresses: readonly V1Ingress[],
  requests: TlsRequests,
  report: Report,
): readonly Candidate[] {
  const owners = findOwners(ingresses, requests);
  const loaded: Candidate[] = [];
  for (const candidate of requests.candidates) {
    const namespace = candidate.secret.namespace;
    const names = candidate.parsed.names.map((name) => name.toLowerCase());
    const foreign = names.find((name) => (owners.get(name)?.namespace ?? namespace) !== namespace);
    if (foreign !== undefined) {
      const owner = owners.get(foreign);
      const message =
        `the certificate is also for ${quote(foreign)}, which belongs to ` +
        `${owner === undefined ? "another namespace" : formatRef(owner)}; it is not served`;
      report(candidate.secret, "error", "HostNotOwned", message, "data[tls.crt]");
      continue;
    }
    loaded.push(candidate);
    for (const name of names) if (!owners.has(name)) owners.set(name, candidate.ingress);
  }
  return loaded;
}

function findOwners(ingresses: readonly V1Ingress[], { claims }: TlsRequests): Map<string, ObjectRef> {
  const owners = new Map<string, ObjectRef>();
  for (const { host, ingress } of claims) if (!owners.has(host)) owners.set(host, ingress);
  for (const ingress of ingresses) {
    for (const rule of ingress.spec?.rules ?? []) {
      const host = rule.host?.toLowerCase() ?? "";
      if (!owners.has(host) && isHost(host)) owners.set(host, refOf("Ingress", ingress));
    }
  }
  return owners;
}
