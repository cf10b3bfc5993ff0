// SPDX-License-Identifier: Apache-2.0
/** Options of an Ingress → options of one of its rules, which also depend on the host and the path. */
import type { IngressOptions } from "./annotations/options.ts";
import { EVERYBODY } from "./cidr.ts";
import type { RuleOptions } from "./types.ts";

export interface RulePlace {
  /** A certificate for the host is served. */
  readonly secured: boolean;
  readonly challenge: boolean;
  /** Value of Strict-Transport-Security, where the rule answers over TLS. */
  readonly hsts: string | undefined;
}

export function toRuleOptions(options: IngressOptions, place: RulePlace): RuleOptions {
  const { redirect, rewrite, limitConnections, maxBodyBytes } = options;
  const closed = options.fate === "closed";
  return {
    sslRedirect: wantsSsl(options, place),
    redirect,
    rewrite,
    allow: closed ? [] : options.allow,
    deny: closed ? EVERYBODY : options.deny,
    limitConnections,
    maxBodyBytes,
    hsts: place.secured ? place.hsts : undefined,
    clientCertificate: false,
  };
}

/** Who is led to another URL anyway needs no detour over https. */
function wantsSsl(options: IngressOptions, { secured, challenge }: RulePlace): boolean {
  if (challenge || (options.redirect !== undefined && !options.redirect.location.startsWith("/")))
    return false;
  return options.forceSslRedirect || (options.sslRedirect && secured);
}
