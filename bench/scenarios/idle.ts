// SPDX-License-Identifier: Apache-2.0
/** What a connection costs that does nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import { openTls, withIdle } from "../lib/load.ts";
import { memoryBytes } from "../lib/usage.ts";
import type { Running } from "../peers/peer.ts";
import type { Sample } from "./scenario.ts";

const SETTLE_MS = 1000;

/** `running` is fresh: whoever was busy before has memory to spare. */
export async function sampleIdle(running: Running, connections: number): Promise<Sample> {
  (await openTls(running.port)).socket.destroy();
  await sleep(SETTLE_MS);
  const before = memoryBytes(running.pids);
  let after = 0;
  await withIdle(running.port, connections, async () => {
    await sleep(SETTLE_MS);
    after = memoryBytes(running.pids);
  });
  return { kb: (after - before) / 1024 / connections };
}
