// SPDX-License-Identifier: Apache-2.0
// What the tests of Hitch and Balance have in common: pools, and clients that stay.
import assert from "node:assert/strict";
import https from "node:https";
import type { TestContext } from "node:test";
import type { Front } from "./front.ts";
import { readLine } from "./net.ts";
import { until } from "./until.ts";

/** Everything of the HTTP lane goes to these. */
export const web = (...channels: string[]) => `pool web ${channels.join(" ")}\ndefault web web\n`;

/** This host is of the TCP lane. */
export const raw = (channel: string) => `pool raw ${channel}\nroute https raw.example raw\n`;

export const keepAlive = (t: TestContext, maxSockets = 1) => {
  const agent = new https.Agent({ keepAlive: true, maxSockets });
  t.after(() => agent.destroy());
  return agent;
};

/** Requests that a pool has had. */
export async function requests(front: Front, pool: string): Promise<number> {
  const channels = (await front.balance.channels(pool)) as unknown as { requests: number }[];
  return channels.reduce((sum, channel) => sum + channel.requests, 0);
}

/** A connection of the TCP lane that has said something. */
export async function openRaw(t: TestContext, front: Front) {
  const socket = front.connect(t, "raw.example");
  const say = async (text: string): Promise<string> => {
    socket.write(`${text}\n`);
    return readLine(socket);
  };
  assert.equal(await say("hello"), "hello");
  return { socket, say };
}

/** A request that the pod has; what comes of it is told later. */
export async function hold(front: Front, pod: { held(): number }, options = {}) {
  const before = pod.held();
  const reply = front.get("/hold", options);
  await until("the pod has it", () => pod.held() === before + 1);
  return { reply };
}
