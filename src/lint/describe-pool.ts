// SPDX-License-Identifier: Apache-2.0
/** How a pool is not as usual, in words. */
import { type BackendSettings, DEFAULT_BACKEND_SETTINGS } from "../model/backend-settings.ts";
import type { Lane } from "../model/types.ts";

type Describe = (settings: BackendSettings) => string;

const PHRASES: Readonly<Partial<Record<keyof BackendSettings, Describe>>> = {
  strategy: ({ strategy }) => strategy,
  slowStartSeconds: ({ slowStartSeconds }) => `new endpoints take ${slowStartSeconds} s for their share`,
  connectSeconds: ({ connectSeconds }) => `connects within ${connectSeconds} s`,
  responseSeconds: ({ responseSeconds }) => `answers within ${responseSeconds} s`,
  idleSeconds: ({ idleSeconds }) => `idle for at most ${idleSeconds} s`,
  maxConnections: ({ maxConnections }) => `${maxConnections} at a time`,
  maxConnectionsPerEndpoint: ({ maxConnectionsPerEndpoint: max }) => `${max} at a time per endpoint`,
  maxConnectionsPerClient: ({ maxConnectionsPerClient: max }) => `${max} at a time per client`,
  queue: ({ queue, queueSeconds }) => `${queue} may wait for ${queueSeconds} s`,
  sendProxy: ({ sendProxy }) => `PROXY ${sendProxy} to the pods`,
  ejection: ({ ejection }) =>
    ejection.failures === 0 ? "no endpoint is ejected" : `ejected after ${ejection.failures} failed connects`,
  check: ({ check }) =>
    `checked by ${check?.kind === "http" ? `GET ${check.path}` : (check?.kind ?? "nobody")}`,
  backups: ({ backups }) =>
    `backed up by ${backups.map(({ service, port }) => `${service}:${port}`).join(", ")}`,
  preferZone: () => "endpoints of the own zone first",
  clusterIp: () => "by the Service's own address",
};

/** What the HTTP lane alone has a use for, and the TCP lane. */
const OF_LANE: Readonly<Partial<Record<keyof BackendSettings, "http" | "tcp">>> = {
  responseSeconds: "http",
  idleSeconds: "tcp",
};

export function describeSettings(settings: BackendSettings, lane: Lane): readonly string[] {
  const kind = lane === "http" ? "http" : "tcp";
  return (Object.keys(PHRASES) as (keyof BackendSettings)[]).flatMap((key) => {
    const usual = JSON.stringify(DEFAULT_BACKEND_SETTINGS[key]);
    if (JSON.stringify(settings[key]) === usual || (OF_LANE[key] ?? kind) !== kind) return [];
    return PHRASES[key]?.(settings) ?? [];
  });
}
