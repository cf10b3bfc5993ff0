// SPDX-License-Identifier: Apache-2.0
/**
 * Engine `upstream`: which TCP ports Inlab's own Balance can serve, a process each. What its command line has no words for is
 * refused by name, and Evener's Balance serves it.
 */
import { DEFAULT_BACKEND_SETTINGS } from "./backend-settings.ts";
import type { PoolRequest } from "./backends.ts";
import { nameTcpListener } from "./listeners.ts";
import { ANY_HOST } from "./names.ts";
import type { Report } from "./problems.ts";
import { refOf } from "./refs.ts";
import type { TcpPort } from "./tcp-services.ts";
import type { Channel, HttpTable, Listener, ModelSettings, Pool, Route, UpstreamService } from "./types.ts";
import { listPools } from "./used-pools.ts";

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
  /** What is left to Evener's Balance. */
  readonly listeners: readonly Listener[];
  readonly routes: readonly Route[];
  readonly pools: readonly Pool[];
}

interface Planned {
  readonly ports: readonly TcpPort[];
  readonly table: HttpTable;
}

/** Without endpoints there is no command line; the port is Evener's then, and its problem has been told. */
export function planUpstream(
  given: Omit<UpstreamPlan, "services">,
  { ports, table }: Planned,
  requests: readonly PoolRequest[],
  settings: ModelSettings,
  report: Report,
): UpstreamPlan {
  const { upstreamBalance: file = "" } = settings;
  const pools = new Map(given.pools.map((pool) => [pool.name, pool]));
  const targets = new Map(requests.map(({ name, target }) => [name, target]));
  const tell = (pool: string, message: string, field?: string) => {
    const service = targets.get(pool)?.service;
    if (service !== undefined)
      report(refOf("Service", service), "warning", "UpstreamCannotExpress", message, field);
  };
  const services: UpstreamService[] = [];
  const plain = new Set<string>();
  for (const { port, tls, routes } of ports) {
    const pool = pools.get(routes.get(ANY_HOST)?.pool ?? "");
    if (tls || pool === undefined) continue;
    plain.add(nameTcpListener(port));
    if (pool.groups.length === 0) continue;
    const obstacles = OBSTACLES.flatMap((find) => find(pool, settings) ?? []);
    if (obstacles.length === 0) services.push(describeService(port, pool, file));
    else
      tell(pool.name, `upstream Balance can't express ${obstacles.join(", ")}; ${OURS}`, `TCP port ${port}`);
  }
  for (const { listener, host, port, pool } of given.routes) {
    if (plain.has(listener)) continue;
    const what =
      host === ANY_HOST
        ? `what comes with TLS on port ${port ?? settings.httpsPort}`
        : `host ${host} by its server name`;
    tell(pool, `upstream Balance can't serve ${what}; ${OURS}`);
  }
  const moved = new Set(services.map(({ port }) => nameTcpListener(port)));
  const routes = given.routes.filter(({ listener }) => !moved.has(listener));
  const used = listPools(routes, table);
  const gone = new Set(services.map(({ pool }) => pool).filter((pool) => !used.has(pool)));
  return {
    services,
    listeners: given.listeners.filter(({ name }) => !moved.has(name)),
    routes,
    pools: given.pools.filter(({ name }) => !gone.has(name)),
  };
}

const OURS = "Evener's own Balance serves it";

function describeService(port: number, pool: Pool, file: string): UpstreamService {
  const { connectSeconds, idleSeconds, strategy } = pool.settings;
  return {
    file,
    port,
    pool: pool.name,
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
