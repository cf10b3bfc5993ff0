// SPDX-License-Identifier: Apache-2.0
/**
 * TCP lane: claims → one pool per host. A connection is relayed as a whole, so a host's rules must lead to one Service port;
 * among several the oldest Ingress wins.
 */
import type { Claim } from "./claims.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { formatRef } from "./refs.ts";

export interface TcpRoutes {
  /** The claim that has the host, by host. */
  readonly winners: ReadonlyMap<string, Claim>;
  /** All that lead where the host leads. */
  readonly served: readonly Claim[];
}

export function collectRoutes(claims: readonly Claim[], report: Report): TcpRoutes {
  const winners = new Map<string, Claim>();
  const served: Claim[] = [];
  for (const claim of claims.filter(isWholeHost)) {
    const winner = winners.get(claim.host);
    if (winner === undefined) winners.set(claim.host, claim);
    else if (winner.pool !== claim.pool) {
      const message =
        `host ${claim.host} is already served by ${describeWinner(winner, claim)}; ` +
        `the backend ${claim.pool} is left out`;
      report(claim.ref, "error", "HostConflict", message, claim.field);
      continue;
    }
    served.push(claim);
  }
  for (const claim of claims) {
    // Another path does no harm when it leads where the whole host leads anyway.
    if (isWholeHost(claim) || winners.get(claim.host)?.pool === claim.pool) continue;
    const message =
      `${claim.kind === "exact" ? "Exact" : "Prefix"} path ${quote(claim.path)} of host ${claim.host} is left out: ` +
      "in the TCP lane all of a host leads to one Service port, by path / of type Prefix or ImplementationSpecific";
    report(claim.ref, "error", "PathNotSupported", message, `${claim.field}.path`);
  }
  return { winners, served };
}

function isWholeHost({ kind, path }: Claim): boolean {
  return kind === "prefix" && path === "/";
}

function describeWinner(winner: Claim, loser: Claim): string {
  return `${winner.ref === loser.ref ? winner.field : formatRef(winner.ref)} (${winner.pool})`;
}
