// SPDX-License-Identifier: Apache-2.0
/** Options of an Ingress → options of one of its rules, which also depend on the host and the path. */
import type { IngressOptions } from "./annotations/options.ts";
import { EVERYBODY } from "./cidr.ts";
import type { ClientCertificateFate } from "./client-demands.ts";
import type { RuleOptions } from "./types.ts";

export interface RulePlace {
  /** A certificate for the host is served. */
  readonly secured: boolean;
  readonly challenge: boolean;
  /** Value of Strict-Transport-Security, where the rule answers over TLS. */
  readonly hsts: string | undefined;
  readonly clients: ClientCertificateFate;
}

export function toRuleOptions(options: IngressOptions, place: RulePlace): RuleOptions {
  const { redirect, rewrite, limitConnections, maxBodyBytes } = options;
  const closed = options.fate === "closed" || (place.clients === "closed" && !place.challenge);
  return {
    sslRedirect: wantsSsl(options, place),
    redirect,
    rewrite,
    allow: closed ? [] : options.allow,
    deny: closed ? EVERYBODY : options.deny,
    limitConnections,
    maxBodyBytes,
    hsts: place.secured ? place.hsts : undefined,
    // A challenge is asked for over plain HTTP, by whoever is to sign the server's certificate.
    clientCertificate: place.challenge || place.clients === "closed" ? undefined : place.clients,
  };
}

/** Who is led to another URL anyway needs no detour over https. */
function wantsSsl(options: IngressOptions, { secured, challenge }: RulePlace): boolean {
  if (challenge || (options.redirect !== undefined && !options.redirect.location.startsWith("/")))
    return false;
  return options.forceSslRedirect || (options.sslRedirect && secured);
}
