// SPDX-License-Identifier: Apache-2.0
/**
 * Which lane a host is in. Whoever connects with TLS is relayed or read as a whole, by the server name, so a host has one
 * lane: the oldest Ingress's. Challenges are asked for over plain HTTP, where every request is read, and claim none.
 */
import type { Claim } from "./claims.ts";
import { wildcardOf } from "./names.ts";
import type { Report } from "./problems.ts";
import { formatRef } from "./refs.ts";

export interface Lanes {
  readonly http: readonly Claim[];
  readonly tcp: readonly Claim[];
}

export function assignLanes(claims: readonly Claim[], report: Report): Lanes {
  const first = new Map<string, Claim>();
  /** The first host in the HTTP lane below each wildcard. */
  const below = new Map<string, Claim>();
  const lanes = { http: [] as Claim[], tcp: [] as Claim[] };
  for (const claim of claims) {
    const winner = claim.challenge ? undefined : findOther(claim, first, below);
    if (winner !== undefined) {
      const message =
        `host ${winner.host} is in the ${winner.lane.toUpperCase()} lane by ${formatRef(winner.ref)}; ` +
        `what asks for the ${claim.lane.toUpperCase()} lane is left out`;
      report(claim.ref, "error", "LaneConflict", message, claim.field);
      continue;
    }
    lanes[claim.lane].push(claim);
    if (claim.challenge || first.has(claim.host)) continue;
    first.set(claim.host, claim);
    const wildcard = wildcardOf(claim.host);
    if (claim.lane === "http" && wildcard !== undefined && !below.has(wildcard)) below.set(wildcard, claim);
  }
  return lanes;
}

/** A wildcard's route takes the connections of every name it covers but those with a route of their own. */
function findOther(
  { host, lane }: Claim,
  first: ReadonlyMap<string, Claim>,
  below: ReadonlyMap<string, Claim>,
): Claim | undefined {
  const mine = first.get(host);
  if (mine !== undefined) return mine.lane === lane ? undefined : mine;
  if (lane === "tcp") return below.get(host);
  const above = first.get(wildcardOf(host) ?? "");
  return above?.lane === "tcp" ? above : undefined;
}
