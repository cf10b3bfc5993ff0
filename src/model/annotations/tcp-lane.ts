// SPDX-License-Identifier: Apache-2.0
/** A relayed connection is not looked into: what concerns requests can't hold in the TCP lane. */
import type { Tell } from "./find-values.ts";
import type { AnnotationKey, AnnotationValues } from "./table.ts";

/** Without these more people would be let in than the Ingress says. */
const RESTRICTING: readonly AnnotationKey[] = ["allow", "deny", "authTlsSecret"];

const OF_REQUESTS: readonly AnnotationKey[] = [
  "authTlsVerify",
  "authTlsPass",
  "permanentRedirect",
  "temporalRedirect",
  "appRoot",
  "rewriteTarget",
  "maxBody",
  "responseTimeout",
];

export function limitToTcpLane(
  values: AnnotationValues,
  nameOf: (key: AnnotationKey) => string,
  tell: Tell,
): AnnotationValues {
  const rest = { ...values };
  // Connections of a client are counted by the pool, whatever is in them.
  const perClient = values.maxConnectionsPerClient ?? values.limitConnections;
  if (perClient !== undefined) rest.maxConnectionsPerClient = perClient;
  delete rest.limitConnections;
  for (const key of [...RESTRICTING, ...OF_REQUESTS]) {
    if (values[key] === undefined) continue;
    const name = nameOf(key);
    const effect = RESTRICTING.includes(key) ? "refuse" : "ignore";
    tell(name, effect, "AnnotationNotSupported", `${name} is not supported in the TCP lane`);
    delete rest[key];
  }
  return rest;
}
