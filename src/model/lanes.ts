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
  readonly passthrough: readonly Claim[];
  /** Of whole ports: their hosts have nothing to do with those of the other lanes. */
  readonly port: readonly Claim[];
}

export function assignLanes(claims: readonly Claim[], report: Report): Lanes {
  const first = new Map<string, Claim>();
  /** The first host of each lane below each wildcard. */
  const below = new Map<string, Claim[]>();
  const lanes = { http: [] as Claim[], tcp: [] as Claim[], passthrough: [] as Claim[], port: [] as Claim[] };
  for (const claim of claims) {
    if (claim.lane === "port") {
      lanes.port.push(claim);
      continue;
    }
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
    if (wildcard === undefined) continue;
    const others = below.get(wildcard) ?? [];
    if (!others.some(({ lane }) => lane === claim.lane)) below.set(wildcard, [...others, claim]);
  }
  return lanes;
}

/** A wildcard's route takes the connections of every name it covers but those with a route of their own. */
function findOther(
  { host, lane }: Claim,
  first: ReadonlyMap<string, Claim>,
  below: ReadonlyMap<string, readonly Claim[]>,
): Claim | undefined {
  const mine = first.get(host);
  if (mine !== undefined) return mine.lane === lane ? undefined : mine;
  // Among hosts after TLS an exact route wins; before TLS there is but the choice between the pods and Hitch.
  const clash = (other: Claim | undefined) =>
    other !== undefined && other.lane !== lane && (other.host.startsWith("*") ? other.lane : lane) !== "http";
  if (host.startsWith("*")) return below.get(host)?.find(clash);
  const above = first.get(wildcardOf(host) ?? "");
  return clash(above) ? above : undefined;
}
