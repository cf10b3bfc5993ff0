// SPDX-License-Identifier: Apache-2.0
/** What Balance answers, as tables. */
import type {
  BalanceChannel,
  BalanceEvent,
  BalanceHttp,
  BalanceLoad,
  BalancePool,
  BalanceStatus,
  BalanceWorker,
} from "../balance-client/types.ts";
import { formatBytes, formatDuration, formatFields, formatTable, printable } from "./table.ts";

const NONE = "-";

export function formatStatus(status: BalanceStatus): string {
  const { reloads } = status;
  const fields = formatFields([
    ["version", status.version],
    ["pid", String(status.pid)],
    ["uptime", formatDuration(status.uptime)],
    ["state", status.draining ? "draining" : "serving"],
    ["generation", String(status.generation)],
    ["hash", status.hash === "" ? NONE : status.hash],
    ["reloads", `${reloads.ok} taken, ${reloads.failed} refused`],
    ["last error", status.last_error ?? NONE],
  ]);
  const { workers: own, guests = [] } = status;
  const describe = (name: string, { pid, generation, connections, restarts }: BalanceWorker) => [
    name,
    ...[pid, generation, connections, restarts].map(String),
  ];
  const workers = formatTable(
    [">WORKER", ">PID", ">GENERATION", ">CONNECTIONS", ">RESTARTS"],
    [...own.map((one, i) => describe(String(i), one)), ...guests.map((one) => describe("hitch", one))],
  );
  const listeners = formatTable(
    ["LISTENER", "ADDRESS", ">ACTIVE", ">ACCEPTED", ">NO-ROUTE", ">NO-CHANNEL", ">PROXY-ERRORS"],
    status.listeners.map((one) => [
      one.name,
      one.address,
      ...[one.active, one.accepted, one.no_route, one.no_channel, one.proxy_errors].map(String),
    ]),
  );
  return `${fields}\n${workers}\n${listeners}`;
}

export const POOL_TITLES = [
  "POOL",
  "LB",
  "GROUP",
  "CHANNEL",
  "STATE",
  ">WEIGHT",
  ">ACTIVE",
  ">MAX",
  ">TOTAL",
  ">FAILED",
  ">REQUESTS",
  ">IN",
  ">OUT",
];

/** A line per channel; channels that have left the configuration have no group. */
export function formatPools(pools: readonly BalancePool[]): string {
  return formatTable(POOL_TITLES, pools.flatMap(describePool));
}

/** One channel's lines of that table. */
export function formatChannel(pools: readonly BalancePool[], channel: string): string {
  return formatTable(
    POOL_TITLES,
    pools.flatMap(describePool).filter((cells) => cells[3] === channel),
  );
}

/** The cells of its lines. */
export function describePool({ pool, lb = NONE, groups, draining }: BalancePool): string[][] {
  if (draining !== undefined) {
    const channels = draining.flatMap((entry) => ("channels" in entry ? entry.channels : [entry]));
    return channels.map((channel) => [pool, NONE, "left", ...describeChannel(channel)]);
  }
  const rows = groups.flatMap((group, i) =>
    group.channels.map((channel) => {
      const how = group.mode === "hash" ? "%" : lb;
      return [pool, how, String(i), ...describeChannel(channel)];
    }),
  );
  return rows.length > 0 ? rows : [[pool, lb, ...Array.from({ length: POOL_TITLES.length - 2 }, () => NONE)]];
}

function describeChannel(channel: BalanceChannel): string[] {
  return [
    channel.channel,
    channel.state ?? NONE,
    String(channel.weight ?? NONE),
    String(channel.active),
    channel.max === 0 ? NONE : String(channel.max),
    String(channel.total),
    String(channel.failed),
    String(channel.requests ?? 0),
    formatBytes(channel.bytes_in),
    formatBytes(channel.bytes_out),
  ];
}

/** With the loads of `seconds` ago, what came in a second takes the place of what came at all. */
export function formatTop(
  loads: readonly BalanceLoad[],
  before?: { readonly loads: readonly BalanceLoad[]; readonly seconds: number },
): string {
  const suffix = before === undefined ? "" : "/S";
  const known = new Map(before?.loads.map((load) => [load.pool, load]));
  const rows = loads.map((load) => {
    const since = (key: "total" | "requests" | "failed" | "bytes_in" | "bytes_out"): number => {
      if (before === undefined) return load[key];
      const old = known.get(load.pool)?.[key] ?? 0;
      // Counted from zero meanwhile.
      return (load[key] < old ? load[key] : load[key] - old) / before.seconds;
    };
    return [
      load.pool,
      String(load.channels),
      String(load.active),
      String(load.requests_active),
      String(Math.round(since("total"))),
      String(Math.round(since("requests"))),
      String(Math.round(since("failed"))),
      formatBytes(Math.round(since("bytes_in"))),
      formatBytes(Math.round(since("bytes_out"))),
    ];
  });
  const titles = ["TOTAL", "REQUESTS", "FAILED", "IN", "OUT"].map((title) => `>${title}${suffix}`);
  return formatTable(["POOL", ">CHANNELS", ">ACTIVE", ">UNDER-WAY", ...titles], rows);
}

export function formatHttp({ codes, duration }: BalanceHttp): string {
  const answers = Object.entries(codes).map(([code, n]) => [code, String(n)]);
  let below = 0;
  const times = duration.buckets.map(([bound, n]) => {
    below += n;
    const share = duration.count === 0 ? NONE : `${((100 * below) / duration.count).toFixed(1)}%`;
    return [bound === null ? "any" : `${bound}s`, String(n), share];
  });
  const mean = duration.count === 0 ? NONE : `${((1000 * duration.sum) / duration.count).toFixed(1)} ms`;
  return [
    formatTable([">STATUS", ">ANSWERS"], answers),
    formatTable([">UP TO", ">ANSWERS", ">SO FAR"], times),
    formatFields([
      ["answers", String(duration.count)],
      ["mean time", mean],
    ]),
  ].join("\n");
}

/** One line, without its end. */
export function formatEvent({ time, event, ...fields }: BalanceEvent): string {
  const clock = time === undefined ? "" : `${new Date(time * 1000).toISOString().slice(11, 23)} `;
  return printable(`${clock}${describeEvent(event, fields)}`);
}

function describeEvent(event: string, fields: Readonly<Record<string, unknown>>): string {
  const { pool, channel, state, was, weight, n } = fields;
  if (event === "channel") return `${pool} ${channel}: ${was} -> ${state}`;
  if (event === "weight") return `${pool} ${channel}: weight ${weight}`;
  if (event === "lost") return `${n} events lost: read too slowly`;
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [event, ...rest].join(" ");
}
