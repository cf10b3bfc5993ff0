// SPDX-License-Identifier: Apache-2.0
/** What one object's annotations say about pools. */
import type { HealthCheck, SettingsLayer } from "../backend-settings.ts";
import type { AnnotationKey, AnnotationValues } from "./table.ts";

/** Tells that an annotation has no effect, and why: `message` goes on after its name. */
export type TellIdle = (key: AnnotationKey, message: string) => void;

/** An object that says nothing. */
export const NOTHING_SAID: SettingsLayer = Object.freeze({});

export function toBackendLayer(values: AnnotationValues, tellIdle: TellIdle): SettingsLayer {
  const layer = Object.freeze({
    ...readStrategy(values, tellIdle),
    ...given("slowStartSeconds", values.slowStart),
    ...given("connectSeconds", values.connectTimeout),
    ...given("responseSeconds", values.responseTimeout),
    ...given("idleSeconds", values.idleTimeout),
    ...given("maxConnections", values.maxConnections),
    ...given("maxConnectionsPerEndpoint", values.maxConnectionsPerEndpoint),
    ...given("maxConnectionsPerClient", values.maxConnectionsPerClient),
    ...given("queue", values.queue),
    ...given("queueSeconds", values.queueTimeout),
    ...given("sendProxy", values.proxyProtocol),
    ...givenAny("ejection", {
      ...given("failures", values.maxFails),
      ...given("baseSeconds", values.failTimeout),
      ...given("maxSeconds", values.failTimeoutMax),
    }),
    ...readCheck(values, tellIdle),
    ...givenAny("checkTiming", {
      ...given("intervalSeconds", values.checkInterval),
      ...given("timeoutSeconds", values.checkTimeout),
      ...given("rise", values.checkRise),
      ...given("fall", values.checkFall),
    }),
    ...given("backups", values.backups),
    ...given("preferZone", values.preferZone),
    ...given("clusterIp", values.serviceUpstream),
  });
  return Object.keys(layer).length === 0 ? NOTHING_SAID : layer;
}

function given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: T });
}

function givenAny<K extends string, T extends object>(key: K, group: T): { readonly [P in K]?: T } {
  return given(key, Object.keys(group).length === 0 ? undefined : group);
}

/** Three annotations say the same thing; in ingress-nginx, too, `upstream-hash-by` wins over `load-balance`. */
const BY_WEIGHT = ["hashBy", "loadBalance", "balanceAlgorithm"] as const;

function readStrategy(values: AnnotationValues, tellIdle: TellIdle): SettingsLayer {
  const [first, ...others] = BY_WEIGHT.filter((key) => values[key] !== undefined);
  if (first === undefined) return {};
  for (const other of others) {
    if (values[other] !== values[first])
      tellIdle(other, "says something else than an annotation that wins over it");
  }
  return given("strategy", values[first]);
}

function readCheck(
  values: AnnotationValues,
  tellIdle: TellIdle,
): { readonly check?: HealthCheck | undefined } {
  const { check, checkPath, checkHost } = values;
  if (check === "http" || (check === undefined && checkPath !== undefined)) {
    return { check: { kind: "http", path: checkPath ?? "/", ...given("host", checkHost) } };
  }
  for (const key of ["checkPath", "checkHost"] as const) {
    if (values[key] !== undefined) tellIdle(key, "goes with health-check: http only");
  }
  if (check === undefined) return {};
  return { check: check === "none" ? undefined : { kind: "tcp" } };
}
