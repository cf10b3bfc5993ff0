// SPDX-License-Identifier: Apache-2.0
/** What a unit of work costs the proxy's whole process tree: on a small machine throughput mostly measures the load generator. */
import { setTimeout as sleep } from "node:timers/promises";
import { handshakes, plainConnections, upload, type WrkResult, wrk } from "../lib/load.ts";
import { cpuSeconds } from "../lib/usage.ts";
import type { Peer, Running } from "../peers/peer.ts";
import type { Sample, Scenario, Size } from "./scenario.ts";

/** Where the pod listens, the same behind all of them. */
export const POD = 21000;

const MB = 1024 ** 2;
const GB = 1024 ** 3;
export const DOWNLOAD_BYTES = 10 * MB;
/** Seconds that the load goes on after the measure at least. */
const SLACK = 0.3;
const EVERY_ROUND = (size: Size) => size.rounds;
const everybody = () => true;
const hasPlainPort = (peer: Peer) => peer.name !== "Hitch alone";

async function cpuOf(running: Running, work: () => Promise<number>): Promise<{ cpu: number; units: number }> {
  const before = cpuSeconds(running.pids);
  const units = await work();
  return { cpu: cpuSeconds(running.pids) - before, units };
}

/** Requests that the pod has served so far, this one included. */
export async function countServed(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${POD}/requests`)).text();
  return Number(/^\s*\d+ \d+ (\d+)/m.exec(text)?.[1]);
}

/** The handshakes at the start are another scenario: the measure is taken from a stretch in the middle. */
function keepAlive(connections: number): Scenario {
  const warmUp = connections > 100 ? 1.5 : 0.5;
  return {
    id: `keepalive-${connections}`,
    title: `Keep-alive HTTPS requests, ${connections} connections`,
    columns: [
      { key: "us", label: "CPU µs per request", digits: 1 },
      { key: "rate", label: "requests/s", digits: 0 },
      { key: "p99", label: "p99 ms", digits: 1 },
    ],
    // A look has one of what takes longest.
    rounds: ({ rounds }) => (connections > 100 && rounds < 7 ? 1 : rounds),
    isFor: everybody,
    async sample(running, { seconds }) {
      const load = wrk(
        `https://127.0.0.1:${running.port}/`,
        connections,
        Math.ceil(seconds + warmUp + SLACK),
      );
      // Awaited below; a failure before that must not end this process, which has others to end.
      load.catch(() => {});
      await sleep(warmUp * 1000);
      const [cpu, served] = [cpuSeconds(running.pids), await countServed()];
      await sleep(seconds * 1000);
      const [cpuAfter, servedAfter] = [cpuSeconds(running.pids), await countServed()];
      const { errors, requests, p99 } = await load;
      if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`);
      const n = servedAfter - served - 1;
      return { us: ((cpuAfter - cpu) * 1e6) / n, rate: n / seconds, p99 };
    },
  };
}

function newConnections(resumed: boolean): Scenario {
  return {
    id: resumed ? "connections-resumed" : "connections-full",
    title: `New TLS 1.3 connection per request, ${resumed ? "resumed" : "full handshake"}`,
    columns: [{ key: "us", label: "CPU µs per connection", digits: 0 }],
    rounds: EVERY_ROUND,
    isFor: everybody,
    async sample(running, { connections }): Promise<Sample> {
      const { cpu, units } = await cpuOf(running, async () => {
        await handshakes(running.port, connections, resumed);
        return connections;
      });
      return { us: (cpu * 1e6) / units };
    },
  };
}

/** CPU seconds for each unit that `count` finds in what wrk did, and units per second. */
async function cpuUnderWrk(
  running: Running,
  url: string,
  connections: number,
  seconds: number,
  count: (result: WrkResult) => number,
): Promise<{ perUnit: number; rate: number }> {
  let rate = 0;
  const { cpu, units } = await cpuOf(running, async () => {
    const result = await wrk(url, connections, seconds);
    rate = count(result) / result.seconds;
    return count(result);
  });
  return { perUnit: cpu / units, rate };
}

const download: Scenario = {
  id: "download",
  title: "Downloads of 10 MB over HTTPS, 4 connections",
  columns: [
    { key: "s", label: "CPU s per GB", digits: 2 },
    { key: "rate", label: "GB/s", digits: 2 },
  ],
  rounds: EVERY_ROUND,
  isFor: everybody,
  async sample(running, { seconds }) {
    const url = `https://127.0.0.1:${running.port}/download`;
    const { perUnit, rate } = await cpuUnderWrk(running, url, 4, seconds, ({ bytes }) => bytes / GB);
    return { s: perUnit, rate };
  },
};

const uploads: Scenario = {
  id: "upload",
  title: "Uploads of 10 MB over HTTPS, 4 connections",
  columns: [{ key: "s", label: "CPU s per GB", digits: 2 }],
  rounds: EVERY_ROUND,
  isFor: everybody,
  async sample(running, { seconds }) {
    const count = 12 * seconds;
    const { cpu, units } = await cpuOf(running, async () => {
      await upload(running.port, DOWNLOAD_BYTES, count);
      return (count * DOWNLOAD_BYTES) / GB;
    });
    return { s: cpu / units };
  },
};

const plainRequests: Scenario = {
  id: "plain-requests",
  title: "Without TLS: keep-alive requests, 64 connections",
  columns: [
    { key: "us", label: "CPU µs per request", digits: 1 },
    { key: "rate", label: "requests/s", digits: 0 },
  ],
  rounds: EVERY_ROUND,
  isFor: hasPlainPort,
  async sample(running, { seconds }) {
    const url = `http://127.0.0.1:${running.plainPort}/`;
    const { perUnit, rate } = await cpuUnderWrk(running, url, 64, seconds, ({ requests }) => requests);
    return { us: perUnit * 1e6, rate };
  },
};

const plainNew: Scenario = {
  id: "plain-connections",
  title: "Without TLS: a new connection per request",
  columns: [
    { key: "us", label: "CPU µs per connection", digits: 0 },
    { key: "rate", label: "connections/s", digits: 0 },
  ],
  rounds: EVERY_ROUND,
  isFor: hasPlainPort,
  async sample(running, { connections }) {
    const n = connections * 2;
    const begin = performance.now();
    const { cpu, units } = await cpuOf(running, async () => {
      await plainConnections(running.plainPort ?? 0, n);
      return n;
    });
    return { us: (cpu * 1e6) / units, rate: (n * 1000) / (performance.now() - begin) };
  },
};

export const TRAFFIC: readonly Scenario[] = [
  keepAlive(64),
  keepAlive(1000),
  newConnections(false),
  newConnections(true),
  download,
  uploads,
  plainRequests,
  plainNew,
];
