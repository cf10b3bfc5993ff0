// SPDX-License-Identifier: Apache-2.0
/** What a connection costs that does nothing. */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openTlsSocket, withIdle } from "../lib/load.ts";
import { memoryBytes } from "../lib/usage.ts";
import type { Running } from "../peers/peer.ts";
import type { Sample } from "./scenario.ts";

const SETTLE_MS = 1000;

/** `running` is fresh: whoever was busy before has memory to spare. */
export async function sampleIdle(
  running: Pick<Running, "port" | "pids">,
  connections: number,
  open: (port: number) => Promise<Socket> = openTlsSocket,
): Promise<Sample> {
  (await open(running.port)).destroy();
  await sleep(SETTLE_MS);
  const before = memoryBytes(running.pids);
  let after = 0;
  const look = async () => {
    await sleep(SETTLE_MS);
    after = memoryBytes(running.pids);
  };
  await withIdle(running.port, connections, look, open);
  return { kb: (after - before) / 1024 / connections };
}
