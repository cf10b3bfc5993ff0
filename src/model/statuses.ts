// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import type { V1Ingress } from "@kubernetes/client-node";
import { compareText, keyOf, refOf, sortedByKey } from "./refs.ts";
import type { IngressStatus, ModelSettings } from "./types.ts";

/** Something of an Ingress that is served. */
export interface ServedClaim {
  readonly ingress: V1Ingress;
  readonly host: string;
}

/** One status for each of our Ingresses, also for one that nothing is served of. */
export function buildStatuses(
  ingresses: readonly V1Ingress[],
  served: readonly ServedClaim[],
  settings: ModelSettings,
): readonly IngressStatus[] {
  const loadBalancer = settings.publishStatusAddresses.map((address) =>
    isIP(address) === 0 ? { hostname: address } : { ip: address },
  );
  const hostsOf = new Map<V1Ingress, Set<string>>();
  for (const { ingress, host } of served) {
    const hosts = hostsOf.get(ingress);
    if (hosts === undefined) hostsOf.set(ingress, new Set([host]));
    else hosts.add(host);
  }
  const statuses = new Map<string, IngressStatus>();
  for (const ingress of ingresses) {
    const ref = refOf("Ingress", ingress);
    const hosts = [...(hostsOf.get(ingress) ?? [])].sort(compareText);
    statuses.set(keyOf(ref), { ref, loadBalancer, hosts });
  }
  return sortedByKey(statuses);
}
