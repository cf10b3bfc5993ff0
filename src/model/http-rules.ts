// SPDX-License-Identifier: Apache-2.0
/** HTTP lane: claims → the rules of one table. Of two for the same host and path the oldest Ingress's is taken. */
import { isDeepStrictEqual } from "node:util";
import type { V1Ingress } from "@kubernetes/client-node";
import type { Claim, Claims, Fallback } from "./claims.ts";
import type { ClientCertificateFate } from "./client-demands.ts";
import { ANY_HOST } from "./names.ts";
import type { Report } from "./problems.ts";
import { formatRef, sortedByKey } from "./refs.ts";
import { type RulePlace, toRuleOptions } from "./rule-options.ts";
import type { HttpTable, ObjectRef, PathKind, Rule, RuleOptions } from "./types.ts";

export interface HttpRules {
  readonly table: HttpTable;
  /** Claims that became a rule, or are the same as one that did. */
  readonly served: readonly { readonly ingress: V1Ingress; readonly host: string }[];
}

export interface HttpInput {
  readonly claims: readonly Claim[];
  readonly fallbacks: Claims["fallbacks"];
  readonly tableName: string;
  /** Whether a certificate for the host is served. */
  readonly isSecured: (host: string) => boolean;
  /** Value of Strict-Transport-Security for secured hosts. */
  readonly hsts: string | undefined;
  readonly clientsOf: (host: string, ingress: V1Ingress) => ClientCertificateFate;
}

interface Taken<T> {
  readonly ref: ObjectRef;
  readonly field: string;
  readonly thing: T;
}

export function buildHttpRules(input: HttpInput, report: Report): HttpRules {
  const builder = new RuleBuilder(input, report);
  const served = input.claims.filter((claim) => builder.add(claim));
  for (const claim of served) builder.addAppRoot(claim);
  const { fallback, ingresses } = chooseFallback(input, report);
  return {
    table: { name: input.tableName, rules: builder.sorted(), fallback },
    served: [...served, ...ingresses.map((ingress) => ({ ingress, host: ANY_HOST }))],
  };
}

class RuleBuilder {
  readonly #input: HttpInput;
  readonly #report: Report;
  readonly #taken = new Map<string, Taken<Rule>>();

  constructor(input: HttpInput, report: Report) {
    this.#input = input;
    this.#report = report;
  }

  /** False, with a problem, when another claim has the place and does something else with it. */
  add(claim: Claim): boolean {
    const rule = {
      host: claim.host,
      kind: claim.kind,
      path: claim.path,
      pool: claim.pool,
      options: toRuleOptions(claim.options, this.#place(claim)),
    };
    const key = keyOf(rule);
    const winner = this.#taken.get(key);
    if (winner === undefined) {
      this.#taken.set(key, { ref: claim.ref, field: claim.field, thing: rule });
      return true;
    }
    if (isDeepStrictEqual(winner.thing, rule)) return true;
    const otherwise = winner.thing.pool === rule.pool ? ", with other annotations," : "";
    const message =
      `${describe(rule)} is already served${otherwise} by ${nameWinner(winner, claim.ref)}; ` +
      `${rule.pool === undefined ? "the redirect" : `the backend ${rule.pool}`} is left out`;
    this.#report(claim.ref, "error", "PathConflict", message, claim.field);
    return false;
  }

  /** For whoever asks for exactly `/`, where that leads to this Ingress or nowhere. */
  addAppRoot(claim: Claim): void {
    const { host, ref, options } = claim;
    if (options.appRoot === undefined || claim.challenge || options.redirect !== undefined) return;
    const redirect = { code: 302, location: options.appRoot } as const;
    const own = { ...options, redirect, rewrite: undefined };
    const rule: Rule = {
      host,
      kind: "exact",
      path: "/",
      pool: undefined,
      options: toRuleOptions(own, this.#place(claim)),
    };
    const winner = this.#taken.get(keyOf(rule)) ?? this.#taken.get(keyOf({ ...rule, kind: "prefix" }));
    if (winner === undefined || (winner.ref === ref && winner.thing.kind === "prefix")) {
      this.#taken.set(keyOf(rule), { ref, field: claim.field, thing: rule });
    } else if (!isDeepStrictEqual(winner.thing, rule)) {
      const message = `app-root: ${describe(rule)} is already served by ${nameWinner(winner, ref)}; it is left out`;
      this.#report(ref, "error", "PathConflict", message, "metadata.annotations");
    }
  }

  sorted(): readonly Rule[] {
    return sortedByKey(this.#taken).map(({ thing }) => thing);
  }

  #place({ host, challenge, lane, ingress }: Claim): RulePlace {
    // In the TCP lane the rule answers plain requests only.
    const hsts = lane === "http" ? this.#input.hsts : undefined;
    const clients = this.#input.clientsOf(host, ingress);
    return { secured: this.#input.isSecured(host), challenge, hsts, clients };
  }
}

/** Sorts by host, path and kind. No space is in any of them. */
function keyOf({ host, path, kind }: { host: string; path: string; kind: PathKind }): string {
  return `${host} ${path} ${kind}`;
}

function describe({ host, path, kind }: Rule): string {
  const where = host === ANY_HOST ? "every other host" : `host ${host}`;
  return `${kind === "exact" ? "Exact" : "Prefix"} path ${path} of ${where}`;
}

function nameWinner({ ref, field, thing }: Taken<Rule>, loser: ObjectRef): string {
  const leads = thing.pool === undefined ? "a redirect" : thing.pool;
  return `${ref === loser ? field : formatRef(ref)} (${leads})`;
}

/** The oldest default backend answers what no rule matches. */
function chooseFallback(
  { fallbacks, hsts, clientsOf }: HttpInput,
  report: Report,
): {
  readonly fallback: HttpTable["fallback"];
  readonly ingresses: readonly V1Ingress[];
} {
  let winner: { readonly from: Fallback; readonly pool: string; readonly options: RuleOptions } | undefined;
  const ingresses: V1Ingress[] = [];
  for (const from of fallbacks) {
    const options = toRuleOptions(from.options, {
      secured: false,
      challenge: false,
      hsts,
      clients: clientsOf(ANY_HOST, from.ingress),
    });
    winner ??= { from, pool: from.pool, options };
    if (winner.pool === from.pool && isDeepStrictEqual(winner.options, options)) {
      ingresses.push(from.ingress);
      continue;
    }
    const message =
      `what no rule matches is already served by ${formatRef(winner.from.ref)} (${winner.pool}); ` +
      `the default backend ${from.pool} is left out`;
    report(from.ref, "error", "DefaultConflict", message, from.field);
  }
  return {
    fallback: winner === undefined ? undefined : { pool: winner.pool, options: winner.options },
    ingresses,
  };
}
