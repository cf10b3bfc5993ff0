// SPDX-License-Identifier: Apache-2.0
/**
 * Engine `upstream`: which TCP ports Inlab's own Balance can serve, a process each. What its command line has no words for is
 * refused by name, and Evener's Balance serves it.
 */
import { DEFAULT_BACKEND_SETTINGS } from "./backend-settings.ts";
import type { Report } from "./problems.ts";
import { nameField, type TcpPort } from "./tcp-services.ts";
import type { Channel, ModelSettings, Pool, UpstreamService } from "./types.ts";

/** What 3.57 is compiled for, at least. */
const MAX_GROUPS = 16;
const MAX_CHANNELS = 64;

/** What stands in the way, for each setting that the command line can't express. */
const OBSTACLES: readonly ((pool: Pool, settings: ModelSettings) => string | undefined)[] = [
  (_, { useProxyProtocol }) => when(useProxyProtocol, "PROXY headers from the load balancer in front"),
  ({ settings }) =>
    when(settings.sendProxy !== "none", `PROXY headers to its endpoints (send-proxy ${settings.sendProxy})`),
  ({ settings }) =>
    when(
      settings.strategy !== "round-robin" && settings.strategy !== "source-hash",
      `the strategy ${settings.strategy}`,
    ),
  ({ settings }) => when(settings.slowStartSeconds > 0, "slow start"),
  ({ settings }) => when(settings.maxConnections > 0, "a limit for all endpoints together"),
  ({ settings }) => when(settings.maxConnectionsPerClient > 0, "a limit per client"),
  ({ settings }) => when(settings.queue > 0, "a queue"),
  ({ settings }) => when(settings.check !== undefined, "health checks"),
  ({ settings: { ejection } }) => {
    const usual = DEFAULT_BACKEND_SETTINGS.ejection;
    const asked =
      ejection.failures !== usual.failures ||
      ejection.baseSeconds !== usual.baseSeconds ||
      ejection.maxSeconds !== usual.maxSeconds;
    return when(asked && ejection.failures > 0, "ejection of endpoints that fail");
  },
  ({ settings }) =>
    when(!Number.isInteger(settings.connectSeconds), "a connect timeout in parts of a second"),
  ({ settings }) => when(!Number.isInteger(settings.idleSeconds), "an idle timeout in parts of a second"),
  ({ groups }) => when(groups.length > MAX_GROUPS, `${groups.length} groups (it has ${MAX_GROUPS})`),
  ({ groups }) => {
    const most = Math.max(0, ...groups.map((group) => group.length));
    return when(most > MAX_CHANNELS, `${most} endpoints in a group (it has ${MAX_CHANNELS})`);
  },
  ({ groups }) => {
    const v6 = groups.flat().find(({ address }) => address.includes(":"));
    return when(v6 !== undefined, `the IPv6 endpoint ${v6?.address}`);
  },
  ({ groups }) => {
    const weighted = groups.flat().some((channel) => weightOf(channel) !== 1);
    return when(weighted, "endpoints with weights");
  },
];

export interface UpstreamPlan {
  readonly services: readonly UpstreamService[];
  /** The ports that are left to Evener's Balance. */
  readonly left: readonly TcpPort[];
}

/** Without endpoints there is no command line; the port is Evener's then, and its problem has been told. */
export function planUpstream(
  ports: readonly TcpPort[],
  pools: readonly Pool[],
  settings: ModelSettings,
  report: Report,
): UpstreamPlan {
  const { upstreamBalance } = settings;
  if (upstreamBalance === undefined) return { services: [], left: ports };
  const byName = new Map(pools.map((pool) => [pool.name, pool]));
  const services: UpstreamService[] = [];
  const left: TcpPort[] = [];
  for (const one of ports) {
    const pool = byName.get(one.pool);
    if (pool === undefined || pool.groups.length === 0) {
      left.push(one);
      continue;
    }
    const obstacles = OBSTACLES.flatMap((find) => find(pool, settings) ?? []);
    if (obstacles.length === 0) services.push(describeService(one, pool, upstreamBalance));
    else {
      left.push(one);
      const message = `upstream Balance can't express ${obstacles.join(", ")}; Evener's own Balance serves port ${one.port}`;
      report(one.service, "warning", "UpstreamCannotExpress", message, nameField(one));
    }
  }
  return { services, left };
}

function describeService({ port, pool: name }: TcpPort, pool: Pool, file: string): UpstreamService {
  const { connectSeconds, idleSeconds, strategy } = pool.settings;
  return {
    file,
    port,
    pool: name,
    connectSeconds,
    idleSeconds,
    hash: strategy === "source-hash",
    groups: pool.groups,
  };
}

function when(is: boolean, what: string): string | undefined {
  return is ? what : undefined;
}

/** Endpoints without a word on it weigh 1. */
function weightOf(channel: Channel & { readonly weight?: number }): number {
  return channel.weight ?? 1;
}
