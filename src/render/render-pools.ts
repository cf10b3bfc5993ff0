// SPDX-License-Identifier: Apache-2.0
import {
  type BackendSettings,
  DEFAULT_BACKEND_SETTINGS,
  type HealthCheck,
} from "../model/backend-settings.ts";
import type { Pool } from "../model/types.ts";
import {
  safeChannel,
  safeCheckKind,
  safeCheckPath,
  safeHost,
  safeInteger,
  safePoolName,
  safeSeconds,
  safeSendProxy,
  safeStrategy,
} from "./safe.ts";

const MAX_COUNT = 1e9;

/** What stands behind `pool`: times and ejection always, as there is no telling them from the rest; of the others what is not usual. */
export function renderPool(pool: Pool): string {
  const { settings } = pool;
  let said = known.get(settings);
  if (said === undefined) {
    said = renderSettings(settings);
    known.set(settings, said);
  }
  return [
    safePoolName(pool.name),
    said,
    ...(pool.retrySeconds === undefined ? [] : [`retry=${safeSeconds(pool.retrySeconds)}`]),
    ...listChannels(pool),
  ].join(" ");
}

/** Most pools share theirs, and they are frozen. */
const known = new WeakMap<BackendSettings, string>();

function renderSettings(settings: BackendSettings): string {
  return [
    `-t ${safeSeconds(settings.connectSeconds)}`,
    `-T ${safeSeconds(settings.idleSeconds)}`,
    `-r ${safeSeconds(settings.responseSeconds)}`,
    ...listEjection(settings),
    ...listBalancing(settings),
    ...listLimits(settings),
    ...(settings.sendProxy === "none" ? [] : [`send-proxy=${safeSendProxy(settings.sendProxy)}`]),
    ...listChecks(settings),
  ].join(" ");
}

function listEjection({ ejection }: BackendSettings): readonly string[] {
  if (ejection.failures === 0) return [];
  const { failures, baseSeconds, maxSeconds } = ejection;
  return [`eject=${safeInteger(failures, 1, 1000)},${safeSeconds(baseSeconds)},${safeSeconds(maxSeconds)}`];
}

function listBalancing({ strategy, slowStartSeconds }: BackendSettings): readonly string[] {
  return [
    ...(strategy === "round-robin" ? [] : [`lb=${safeStrategy(strategy)}`]),
    ...(slowStartSeconds === 0 ? [] : [`slow-start=${safeSeconds(slowStartSeconds)}`]),
  ];
}

/** What is no limit is not said, nor how long nobody waits. */
function listLimits(settings: BackendSettings): readonly string[] {
  const { maxConnections, maxConnectionsPerClient, queue, queueSeconds } = settings;
  const count = (word: string, value: number) =>
    value === 0 ? [] : [`${word}=${safeInteger(value, 1, MAX_COUNT)}`];
  return [
    ...count("maxconn", maxConnections),
    ...count("client-limit", maxConnectionsPerClient),
    ...count("queue", queue),
    ...(queue === 0 || queueSeconds === DEFAULT_BACKEND_SETTINGS.queueSeconds
      ? []
      : [`queue-timeout=${safeSeconds(queueSeconds)}`]),
  ];
}

function listChecks({ check, checkTiming }: BackendSettings): readonly string[] {
  if (check === undefined) return [];
  const usual = DEFAULT_BACKEND_SETTINGS.checkTiming;
  const unless = (same: boolean, word: string, value: string) => (same ? [] : [`${word}=${value}`]);
  const { intervalSeconds, timeoutSeconds, rise, fall } = checkTiming;
  return [
    `check=${renderCheck(check)}`,
    ...unless(intervalSeconds === usual.intervalSeconds, "check-interval", safeSeconds(intervalSeconds)),
    ...unless(timeoutSeconds === usual.timeoutSeconds, "check-timeout", safeSeconds(timeoutSeconds)),
    ...unless(rise === usual.rise, "rise", safeInteger(rise, 1, 1000)),
    ...unless(fall === usual.fall, "fall", safeInteger(fall, 1, 1000)),
  ];
}

function renderCheck(check: HealthCheck): string {
  const kind = safeCheckKind(check.kind);
  if (check.kind === "tcp") return kind;
  return [kind, safeCheckPath(check.path), ...(check.host === undefined ? [] : [safeHost(check.host)])].join(
    ",",
  );
}

/** The groups of a pool as Balance arguments: `!` ends a group, what follows is tried after it. */
function listChannels({ groups }: Pool): readonly string[] {
  return groups.flatMap((group, i) => [...(i === 0 ? [] : ["!"]), ...group.map(safeChannel)]);
}
