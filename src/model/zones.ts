// SPDX-License-Identifier: Apache-2.0
/** Endpoints near us before others. */
import type { V1Endpoint, V1Service } from "@kubernetes/client-node";

/** What an endpoint says about the zone we are in. */
export interface Nearness {
  /** It carries hints for some zone. */
  readonly hinted: boolean;
  /** It is meant for our zone. */
  readonly meant: boolean;
  /** It is in our zone. */
  readonly near: boolean;
}

const NOWHERE: Nearness = Object.freeze({ hinted: false, meant: false, near: false });

/** Where it is not known which zone we are in, no endpoint is told from another. */
export function readNearness({ zone, hints }: V1Endpoint, ours: string | undefined): Nearness {
  if (ours === undefined) return NOWHERE;
  const zones = hints?.forZones ?? [];
  return {
    hinted: zones.length > 0,
    meant: zones.some(({ name }) => name === ours),
    near: zone === ours,
  };
}

/** Of one endpoint in two slices, which happens while it moves from one to the other. */
export function joinNearness(a: Nearness, b: Nearness): Nearness {
  return { hinted: a.hinted && b.hinted, meant: a.meant || b.meant, near: a.near || b.near };
}

/**
 * Hints hold when all endpoints have some and any is meant for us; that is how kube-proxy takes them, too. Without them it is the
 * endpoints' own zone that counts, for Services and settings that ask for it. The far ones stay as a second group.
 */
export function splitByZone<T extends Nearness>(
  endpoints: readonly T[],
  prefer: boolean,
): readonly (readonly T[])[] {
  const followHints = endpoints.every(({ hinted }) => hinted) && endpoints.some(({ meant }) => meant);
  if (!followHints && !prefer) return [endpoints];
  const isOurs = (endpoint: T) => (followHints ? endpoint.meant : endpoint.near);
  return [endpoints.filter(isOurs), endpoints.filter((endpoint) => !isOurs(endpoint))];
}

/** Traffic distribution of a Service, or what is said of its pools. */
export function prefersZone(service: V1Service, preferZone: boolean): boolean {
  return preferZone || ["PreferClose", "PreferSameZone"].includes(service.spec?.trafficDistribution ?? "");
}
