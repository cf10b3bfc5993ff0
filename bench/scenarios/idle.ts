// SPDX-License-Identifier: Apache-2.0
/** What a connection costs that does nothing. */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openPlain, openTlsSocket, withIdle } from "../lib/load.ts";
import { memoryBytes } from "../lib/usage.ts";
import type { Running } from "../peers/peer.ts";
import type { Sample } from "./scenario.ts";

const SETTLE_MS = 1000;

/** `running` is fresh: whoever was busy before has memory to spare. */
export async function sampleIdle(
  { port, pids }: Pick<Running, "port" | "pids">,
  connections: number,
  open: (port: number) => Promise<Socket> = openTlsSocket,
): Promise<Sample> {
  return { kb: (await measureEach(pids, connections, () => open(port))) / 1024 };
}

export async function sampleIdlePlain(running: Running, connections: number): Promise<Sample> {
  return { bytes: await measureEach(running.pids, connections, () => openPlain(running.plainPort ?? 0)) };
}

/** Bytes. */
async function measureEach(
  pids: readonly number[],
  connections: number,
  open: () => Promise<Socket>,
): Promise<number> {
  (await open()).destroy();
  await sleep(SETTLE_MS);
  const before = memoryBytes(pids);
  let after = 0;
  await withIdle(open, connections, async () => {
    await sleep(SETTLE_MS);
    after = memoryBytes(pids);
  });
  return (after - before) / connections;
}
