// SPDX-License-Identifier: Apache-2.0
/** CPU per keep-alive HTTPS request: Evener's HTTP lane beside haproxy and nginx, in one run, alternating round by round.
 *
 * Throughput on a small machine mostly measures the load generator, so the figure is CPU time of the proxy's whole process
 * tree (from /proc) per request. `make bench-http`; ROUNDS and SECONDS change its length. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "./lib/cpu.ts";
import { median, spread } from "./lib/figures.ts";
import { startPeers } from "./lib/http-peers.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const SECONDS = Number(process.env.SECONDS ?? 4);
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 64);

interface Measure {
  readonly requests: number;
  readonly microseconds: number;
}

const dir = mkdtempSync(join(tmpdir(), "evener-bench-"));
const children: ReturnType<typeof spawn>[] = [];

function start(command: string, args: readonly string[]): number {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "ignore"] });
  children.push(child);
  if (child.pid === undefined) throw new Error(`${command} does not start`);
  return child.pid;
}

function load(url: string): number {
  const out = execFileSync(
    "wrk",
    ["-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, "-H", "Host: a.example", url],
    {
      encoding: "utf8",
    },
  );
  if (/Non-2xx|Socket errors/.test(out)) throw new Error(`${url}: ${out}`);
  return Number(/(\d+) requests in/.exec(out)?.[1] ?? 0);
}

function measure(url: string, pids: readonly number[]): Measure {
  const before = cpuSeconds(pids);
  const requests = load(url);
  return { requests, microseconds: ((cpuSeconds(pids) - before) * 1e6) / requests };
}

async function main(): Promise<void> {
  mkdirSync(join(dir, "run"));
  const peers = startPeers({ dir, bin: resolve("dist/bin"), start, write: writeFileSync });
  await sleep(1500);
  const results = new Map<string, Measure[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, url, pids } of peers) {
      results.get(name)?.push(measure(url, pids));
    }
  }
  const figure = (name: string) => (results.get(name) ?? []).map(({ microseconds }) => microseconds);
  const best = Math.min(...peers.filter(({ peer }) => peer).map(({ name }) => median(figure(name))));
  console.log(
    `| proxy | CPU µs per request (median, spread of ${ROUNDS} rounds) | to the best peer | requests/s |`,
  );
  console.log("|---|---|---|---|");
  for (const { name } of peers) {
    const us = figure(name);
    const rate = median((results.get(name) ?? []).map(({ requests }) => requests / SECONDS));
    console.log(
      `| ${name} | ${median(us).toFixed(1)} (${spread(us)}) | ${(median(us) / best).toFixed(2)} | ${rate.toFixed(0)} |`,
    );
  }
}

try {
  await main();
} finally {
  for (const child of children) child.kill("SIGTERM");
  await sleep(500);
  rmSync(dir, { recursive: true, force: true });
}
