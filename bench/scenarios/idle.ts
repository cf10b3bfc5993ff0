// SPDX-License-Identifier: Apache-2.0
/** What a connection costs that does nothing. */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openPlain, openTls, withIdle } from "../lib/load.ts";
import { memoryBytes } from "../lib/usage.ts";
import type { Running } from "../peers/peer.ts";
import type { Sample } from "./scenario.ts";

const SETTLE_MS = 1000;

/** `running` is fresh: whoever was busy before has memory to spare. */
export async function sampleIdle(running: Running, connections: number): Promise<Sample> {
  const open = async () => (await openTls(running.port)).socket;
  return { kb: (await measureEach(running, connections, open)) / 1024 };
}

export async function sampleIdlePlain(running: Running, connections: number): Promise<Sample> {
  return { bytes: await measureEach(running, connections, () => openPlain(running.plainPort ?? 0)) };
}

/** Bytes. */
async function measureEach(
  running: Running,
  connections: number,
  open: () => Promise<Socket>,
): Promise<number> {
  (await open()).destroy();
  await sleep(SETTLE_MS);
  const before = memoryBytes(running.pids);
  let after = 0;
  await withIdle(open, connections, async () => {
    await sleep(SETTLE_MS);
    after = memoryBytes(running.pids);
  });
  return (after - before) / connections;
}
