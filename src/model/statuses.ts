// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import type { V1Ingress } from "@kubernetes/client-node";
import { refOf } from "./refs.ts";
import type { HostRoutes } from "./routes.ts";
import type { IngressStatus, ModelSettings } from "./types.ts";

/** One status for each of our Ingresses, also for one that nothing is served of. */
export function buildStatuses(
  ingresses: readonly V1Ingress[],
  routes: HostRoutes,
  settings: ModelSettings,
): readonly IngressStatus[] {
  const loadBalancer = settings.publishStatusAddresses.map((address) =>
    isIP(address) === 0 ? { hostname: address } : { ip: address },
  );
  return ingresses.map((ingress) => ({
    ref: refOf("Ingress", ingress),
    loadBalancer,
    hosts: routes.hostsOf.get(ingress) ?? [],
  }));
}
