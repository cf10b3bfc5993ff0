// SPDX-License-Identifier: Apache-2.0
/** What a BackendPolicy says, as settings. Its schema has checked form and bounds; what Balance can't take besides is told here. */
import type { BackendPolicySpec } from "../crd/backend-policy.ts";
import type { HealthCheck, SettingsLayer } from "./backend-settings.ts";
import { isHost } from "./names.ts";
import { quote } from "./quote.ts";
import { isUrlPath } from "./url-path.ts";

type Tell = (reason: string, message: string, field: string) => void;

export function toPolicyLayer(spec: BackendPolicySpec, tell: Tell): SettingsLayer {
  const { loadBalancing, timeouts, limits, proxyProtocol, ejection, healthCheck, backups } = spec;
  const said = dropAbsent({
    strategy: loadBalancing?.strategy,
    slowStartSeconds: loadBalancing?.slowStartSeconds,
    preferZone: loadBalancing?.preferZone,
    connectSeconds: timeouts?.connectSeconds,
    responseSeconds: timeouts?.responseSeconds,
    idleSeconds: timeouts?.idleSeconds,
    maxConnections: limits?.connections,
    maxConnectionsPerEndpoint: limits?.connectionsPerEndpoint,
    maxConnectionsPerClient: limits?.connectionsPerClient,
    queue: limits?.queue,
    queueSeconds: limits?.queueSeconds,
    sendProxy: proxyProtocol,
    ejection: ejection === undefined ? undefined : dropAbsent(ejection),
    backups,
  });
  // No check at all is something that can be said.
  return Object.freeze({ ...said, ...(healthCheck === undefined ? {} : readCheck(healthCheck, tell)) });
}

function readCheck(
  {
    type,
    path = "/",
    host,
    intervalSeconds,
    timeoutSeconds,
    rise,
    fall,
  }: NonNullable<BackendPolicySpec["healthCheck"]>,
  tell: Tell,
): Pick<SettingsLayer, "check" | "checkTiming"> {
  const checkTiming = dropAbsent({ intervalSeconds, timeoutSeconds, rise, fall });
  if (type === "none") return { check: undefined, checkTiming };
  if (type === "tcp") return { check: { kind: "tcp" }, checkTiming };
  if (!isUrlPath(path) || path.includes(",")) {
    const message = `${quote(path)} can't be asked for (a comma is written %2C); there are no checks`;
    tell("InvalidField", message, "spec.healthCheck.path");
    return { check: undefined, checkTiming };
  }
  const isGood = host === undefined || isHost(host);
  if (!isGood) {
    const message = `${quote(host)} is no host name; the endpoint's address is in its place`;
    tell("InvalidField", message, "spec.healthCheck.host");
  }
  const check: HealthCheck = { kind: "http", path, ...(host !== undefined && isGood ? { host } : {}) };
  return { check, checkTiming };
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function dropAbsent<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
