// SPDX-License-Identifier: Apache-2.0
/**
 * Rules of all Ingresses → one pool per host. In the TCP lane a connection is routed as a whole, so a host's
 * rules must lead to one Service port; among several claims the oldest Ingress wins.
 */
import type { V1HTTPIngressPath, V1Ingress, V1IngressRule } from "@kubernetes/client-node";
import type { Backends } from "./backends.ts";
import { isHost } from "./names.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { formatRef, refOf } from "./refs.ts";
import type { ObjectRef } from "./types.ts";

/** The host of a rule without one, and of a default backend. */
export const ANY_HOST = "*";

interface Claim {
  readonly host: string;
  readonly pool: string;
  readonly ref: ObjectRef;
  readonly field: string;
}

export interface HostRoutes {
  /** Pool by host. */
  readonly pools: ReadonlyMap<string, string>;
  /** Hosts whose route each Ingress brought, by the Ingress. */
  readonly hostsOf: ReadonlyMap<V1Ingress, readonly string[]>;
}

export function collectRoutes(
  ingresses: readonly V1Ingress[],
  backends: Backends,
  report: Report,
): HostRoutes {
  const winners = new Map<string, Claim>();
  const fallbacks: { ingress: V1Ingress; claim: Claim }[] = [];
  const otherPaths: { claim: Claim; path: V1HTTPIngressPath }[] = [];
  const hostsOf = new Map<V1Ingress, Set<string>>();

  function stake(ingress: V1Ingress, claim: Claim): void {
    const winner = winners.get(claim.host);
    if (winner === undefined) winners.set(claim.host, claim);
    else if (winner.pool !== claim.pool) {
      const message =
        `${describeHost(claim.host)} is already served by ${describeWinner(winner, claim)}; ` +
        `the backend ${claim.pool} is left out`;
      report(claim.ref, "error", "HostConflict", message, claim.field);
      return;
    }
    const hosts = hostsOf.get(ingress);
    if (hosts === undefined) hostsOf.set(ingress, new Set([claim.host]));
    else hosts.add(claim.host);
  }

  for (const ingress of ingresses) {
    const ref = refOf("Ingress", ingress);
    const defaultBackend = ingress.spec?.defaultBackend;
    // Resolved first, so that a rule without paths can lead there too.
    const defaultPool =
      defaultBackend === undefined ? undefined : backends.resolve(defaultBackend, ref, "spec.defaultBackend");
    for (const [i, rule] of (ingress.spec?.rules ?? []).entries()) {
      const host = readHost(rule, ref, `spec.rules[${i}].host`, report);
      if (host === undefined) continue;
      for (const [j, path] of readPaths(rule).entries()) {
        const field = `spec.rules[${i}].http.paths[${j}]`;
        if (!isPathAllowed(path, ref, field, report)) continue;
        const pool = backends.resolve(path.backend, ref, `${field}.backend`);
        if (pool === undefined) continue;
        const claim = { host, pool, ref, field };
        if (isWholeHost(path)) stake(ingress, claim);
        else otherPaths.push({ claim, path });
      }
      if (readPaths(rule).length === 0 && host !== ANY_HOST) {
        if (defaultPool !== undefined)
          stake(ingress, { host, pool: defaultPool, ref, field: `spec.rules[${i}]` });
        else if (defaultBackend === undefined) {
          const message = `the rule for ${describeHost(host)} has neither paths nor a default backend`;
          report(ref, "warning", "RuleWithoutBackend", message, `spec.rules[${i}]`);
        }
      }
    }
    if (defaultPool !== undefined) {
      const claim = { host: ANY_HOST, pool: defaultPool, ref, field: "spec.defaultBackend" };
      fallbacks.push({ ingress, claim });
    }
  }
  // A rule without host is more specific than any default backend, whatever their ages.
  for (const { ingress, claim } of fallbacks) {
    const winner = winners.get(ANY_HOST);
    if (winner?.ref !== claim.ref) stake(ingress, claim);
  }
  for (const { claim, path } of otherPaths) refuseOtherPath(claim, path, winners.get(claim.host), report);

  return {
    pools: new Map([...winners].map(([host, claim]) => [host, claim.pool])),
    hostsOf: new Map([...hostsOf].map(([ingress, hosts]) => [ingress, [...hosts].sort()])),
  };
}

function readPaths(rule: V1IngressRule): readonly V1HTTPIngressPath[] {
  return rule.http?.paths ?? [];
}

/** The host in lower case, `*` for a rule without one, undefined when it is refused. */
export function readHost(
  rule: V1IngressRule,
  ref: ObjectRef,
  field: string,
  report: Report,
): string | undefined {
  if (rule.host === undefined || rule.host === "") return ANY_HOST;
  const host = rule.host.toLowerCase();
  if (isHost(host)) return host;
  report(ref, "error", "HostNotAllowed", `${quote(rule.host)} is no DNS name; the rule is left out`, field);
  return undefined;
}

/** RFC 3986 path characters; anything else can't stand in a request line as it is. */
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;
const PATH_TYPES = ["Exact", "Prefix", "ImplementationSpecific"];

function isPathAllowed(path: V1HTTPIngressPath, ref: ObjectRef, field: string, report: Report): boolean {
  if (!PATH_TYPES.includes(path.pathType)) {
    const message = `${quote(path.pathType)} is no path type; the path is left out`;
    report(ref, "error", "PathNotAllowed", message, `${field}.pathType`);
    return false;
  }
  const text = path.path ?? "";
  if (text === "" || (text.length <= 2048 && PATH.test(text))) return true;
  report(ref, "error", "PathNotAllowed", `${quote(text)} is no URL path; it is left out`, `${field}.path`);
  return false;
}

function isWholeHost(path: V1HTTPIngressPath): boolean {
  return ["", "/"].includes(path.path ?? "") && path.pathType !== "Exact";
}

/** A path other than `/` does no harm when it leads where the whole host leads anyway. */
function refuseOtherPath(
  claim: Claim,
  path: V1HTTPIngressPath,
  winner: Claim | undefined,
  report: Report,
): void {
  if (winner?.pool === claim.pool) return;
  const message =
    `${path.pathType} path ${quote(path.path ?? "")} of ${describeHost(claim.host)} is left out: ` +
    "all of a host leads to one Service port for now, by path / of type Prefix or ImplementationSpecific";
  report(claim.ref, "error", "PathNotSupported", message, `${claim.field}.path`);
}

function describeHost(host: string): string {
  return host === ANY_HOST ? "every other host" : `host ${host}`;
}

function describeWinner(winner: Claim, loser: Claim): string {
  return winner.ref === loser.ref
    ? `${winner.field} (${winner.pool})`
    : `${formatRef(winner.ref)} (${winner.pool})`;
}
