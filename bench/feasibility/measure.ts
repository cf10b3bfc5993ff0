// SPDX-License-Identifier: Apache-2.0
/** Rounds over a list of subjects: what a kept-alive request and a new connection cost each of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { handshakes, plainConnections, wrk } from "../lib/load.ts";
import { Session } from "../lib/session.ts";
import { type CpuTime, cpuTime } from "../lib/usage.ts";
import { startAll, startPod, writePems } from "../peers/common.ts";
import type { Setup } from "../peers/peer.ts";
import { sampleIdle, sampleIdlePlain } from "../scenarios/idle.ts";
import { countServed, POD } from "../scenarios/traffic.ts";
import type { Started, Subject } from "./subjects.ts";
import type { Measured, Sample, Work } from "./tables.ts";

export interface Effort {
  readonly rounds: number;
  /** TLS connections made in a sample; of plain ones, which are cheaper, more. */
  readonly connections: number;
  /** Connections held when memory is read. */
  readonly idle: number;
}

const KEPT = 64;
const WARM_UP_MS = 350;
const STRETCH_MS = 1150;
const WRK_SECONDS = 2;
const ATTEMPTS = 5;
const PLAIN_FACTOR = 2;
/** Until processes of a single connection have ended. */
const SETTLE_MS = 150;

interface Reading {
  readonly all: CpuTime;
  readonly balance: CpuTime;
}

/** Two readings, the earlier one first. */
type Stretch = readonly [Reading, Reading];

function read({ pids, balance = [] }: Started): Reading {
  return { all: cpuTime(pids), balance: cpuTime(balance) };
}

/** `divided` is the longer stretch in which the kernel's ticks are looked at; by then processes of one connection have ended. */
function toSample({ balance }: Started, measured: Stretch, divided: Stretch, units: number): Sample {
  const grown = ([before, after]: Stretch, part: keyof Reading, key: keyof CpuTime) =>
    after[part][key] - before[part][key];
  const of = (part: keyof Reading) => {
    const us = (grown(measured, part, "total") * 1e6) / units;
    const [user, system] = [grown(divided, part, "user"), grown(divided, part, "system")];
    return { us, user: user === 0 ? 0 : (us * user) / (user + system) };
  };
  return balance === undefined ? of("all") : { ...of("all"), balance: of("balance") };
}

/**
 * From a stretch in the middle: connecting is the other sample, and processes of a connection each must not be read while they end. Where
 * somebody else keeps the machine so busy that the load is over before the stretch is, another is taken.
 */
async function sampleRequests(started: Started, attempts = ATTEMPTS): Promise<Sample> {
  const { tls, port } = started;
  const first = read(started);
  let isOver = false;
  const load = wrk(`${tls ? "https" : "http"}://127.0.0.1:${port}/`, KEPT, WRK_SECONDS).finally(() => {
    isOver = true;
  });
  // Awaited below; a failure before that must not end this process, which has others to end.
  load.catch(() => {});
  await sleep(WARM_UP_MS);
  const [before, served] = [read(started), await countServed()];
  await sleep(STRETCH_MS);
  const [after, servedAfter] = [read(started), await countServed()];
  const isWhole = !isOver;
  const { errors, requests } = await load;
  if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`);
  await sleep(SETTLE_MS);
  if (isWhole) return toSample(started, [before, after], [first, read(started)], servedAfter - served - 1);
  if (attempts === 0) throw new Error("this machine is too busy to measure anything");
  return sampleRequests(started, attempts - 1);
}

async function sampleConnections(started: Started, connections: number): Promise<Sample> {
  const { tls, port } = started;
  const n = tls ? connections : connections * PLAIN_FACTOR;
  await sleep(SETTLE_MS);
  const before = read(started);
  await (tls ? handshakes(port, n, false) : plainConnections(port, n));
  await sleep(SETTLE_MS);
  const stretch = [before, read(started)] as const;
  return toSample(started, stretch, stretch, n);
}

async function withSetup<T>(bin: string, body: (setup: Setup) => Promise<T>): Promise<T> {
  const session = new Session();
  try {
    await startPod(session);
    const { pems, names } = await writePems(session, 1);
    return await body({ session, bin, pod: POD, pems, names });
  } finally {
    await session.end();
  }
}

/** Memory per connection, of a process tree that has done nothing else yet. */
function measureIdle(subject: Subject, bin: string, idle: number): Promise<number> {
  return withSetup(bin, async (setup) => {
    const [started] = (await startAll([subject], setup)).values();
    if (started === undefined) throw new Error(`${subject.name} was not started`);
    setup.session.failIfEnded();
    if (started.tls) return (await sampleIdle(started, idle)).kb ?? Number.NaN;
    const { bytes = Number.NaN } = await sampleIdlePlain({ ...started, plainPort: started.port }, idle);
    return bytes / 1024;
  });
}

/**
 * All subjects run at a time. Each round measures one after the other, every second one from the last to the first: a machine has moods.
 * The processes do one kind of work only, so that the kernel's division of their time is of that kind, too.
 */
function measureWork(
  subjects: readonly Subject[],
  bin: string,
  work: Work,
  effort: Effort,
): Promise<Sample[][]> {
  return withSetup(bin, async (setup) => {
    const started = [...(await startAll(subjects, setup)).values()];
    setup.session.failIfEnded();
    const samples = started.map((): Sample[] => []);
    for (let round = 0; round < effort.rounds; round++) {
      const order = [...started.entries()];
      for (const [i, one] of round % 2 === 0 ? order : order.reverse()) {
        try {
          const sample =
            work === "requests" ? sampleRequests(one) : sampleConnections(one, effort.connections);
          samples[i]?.push(await sample);
        } catch (cause) {
          throw new Error(`${subjects[i]?.name}, ${work}: ${cause}`, { cause });
        }
      }
    }
    return samples;
  });
}

export async function measure(
  subjects: readonly Subject[],
  bin: string,
  effort: Effort,
  withMemory: boolean,
): Promise<Measured[]> {
  const requests = await measureWork(subjects, bin, "requests", effort);
  const connections = await measureWork(subjects, bin, "connections", effort);
  const measured: Measured[] = [];
  for (const [i, subject] of subjects.entries()) {
    const both = { name: subject.name, requests: requests[i] ?? [], connections: connections[i] ?? [] };
    measured.push(withMemory ? { ...both, kb: await measureIdle(subject, bin, effort.idle) } : both);
  }
  return measured;
}
