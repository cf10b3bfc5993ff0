// SPDX-License-Identifier: Apache-2.0
/**
 * Names of pools. A Service port has one pool, `namespace/service:port`, whatever is said of the Service; an Ingress that asks for
 * something else has a pool of its own, and what it asks for stands behind the name.
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { BackendSettings, CheckTiming, HealthCheck } from "./backend-settings.ts";

/** A name has 255 bytes; namespace, Service and port take up to 143. */
const MAX_SUFFIX = 100;

type Describe = (settings: BackendSettings, base: BackendSettings) => string | undefined;

/** In the order of the name. What has no short form is told by a hash. */
const PARTS: readonly Describe[] = [
  ({ connectSeconds, responseSeconds }, base) =>
    connectSeconds === base.connectSeconds && responseSeconds === base.responseSeconds
      ? undefined
      : `t${connectSeconds}-r${responseSeconds}`,
  plain("strategy", ""),
  plain("idleSeconds", "idle-"),
  plain("slowStartSeconds", "slow-start-"),
  plain("maxConnections", "maxconn-"),
  plain("maxConnectionsPerEndpoint", "maxconn-server-"),
  plain("maxConnectionsPerClient", "maxconn-client-"),
  plain("queue", "queue-"),
  plain("queueSeconds", "queue-timeout-"),
  plain("sendProxy", "send-proxy-"),
  ({ ejection }, base) =>
    isDeepStrictEqual(ejection, base.ejection)
      ? undefined
      : `eject-${ejection.failures}-${ejection.baseSeconds}-${ejection.maxSeconds}`,
  ({ check }, base) => (isDeepStrictEqual(check, base.check) ? undefined : describeCheck(check)),
  ({ checkTiming }, base) =>
    isDeepStrictEqual(checkTiming, base.checkTiming) ? undefined : describeTiming(checkTiming),
  ({ backups }, base) =>
    isDeepStrictEqual(backups, base.backups) ? undefined : `backups-${hash(JSON.stringify(backups))}`,
  flag("preferZone", "zone"),
  flag("clusterIp", "cluster-ip"),
];

/** Empty where nothing differs from what pools of the Service have anyway. */
export function nameSuffix(settings: BackendSettings, base: BackendSettings): string {
  if (settings === base) return "";
  const parts = PARTS.flatMap((describe) => describe(settings, base) ?? []);
  if (parts.length === 0) return "";
  const text = parts.join(".");
  return `/${text.length <= MAX_SUFFIX ? text : `own-${hash(text)}`}`;
}

function plain(key: keyof BackendSettings, label: string): Describe {
  return (settings, base) => (settings[key] === base[key] ? undefined : `${label}${settings[key]}`);
}

function flag(key: "preferZone" | "clusterIp", label: string): Describe {
  return (settings, base) =>
    settings[key] === base[key] ? undefined : `${settings[key] ? "" : "no-"}${label}`;
}

function describeCheck(check: HealthCheck | undefined): string {
  if (check === undefined) return "no-check";
  return check.kind === "tcp" ? "check-tcp" : `check-http-${hash(JSON.stringify([check.path, check.host]))}`;
}

function describeTiming({ intervalSeconds, timeoutSeconds, rise, fall }: CheckTiming): string {
  return `check-${intervalSeconds}-${timeoutSeconds}-${rise}-${fall}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
