// SPDX-License-Identifier: Apache-2.0
// Sends a case to a proxy in front of a recording backend and tells what came of it.
import type { TestContext } from "node:test";
import { type RequestBackend, startBackend } from "../http-lib/backend.ts";
import { RawClient } from "../http-lib/raw-client.ts";
import type { Case } from "./case.ts";

/** A port of a proxy with a backend of its own: cases on different lanes don't see each other. */
export interface Lane {
  port: number;
  backend: RequestBackend;
}

export interface Outcome {
  /** Status codes in order. */
  statuses: number[];
  closed: boolean;
  /** Everything the backend got. */
  reached: string;
  /** How many requests the backend made of it. */
  requests: number;
}

export const LANES = 16;

export function startBackends(t: TestContext): Promise<RequestBackend[]> {
  return Promise.all(Array.from({ length: LANES }, () => startBackend(t)));
}

async function collect(client: RawClient, expected: number, patienceMs: number): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < expected) {
    const answer = await client.tryAnswer("GET", patienceMs);
    if (answer === undefined) break;
    statuses.push(answer.status);
  }
  return statuses;
}

/** To Balance, of which it is known how many answers are due. */
export async function sendAndExpect(lane: Lane, item: Case): Promise<Outcome> {
  const before = begin(lane);
  const client = await RawClient.open(lane.port);
  client.send(item.send);
  const refused = item.expect.refused === undefined ? 0 : 1;
  const due = ("forwarded" in item.expect ? item.expect.forwarded.length : 0) + refused;
  const statuses = await collect(client, due, 10_000);
  // A request too many would be answered before the end is.
  if (refused === 0) client.socket.end();
  const closed = await client.ends(10_000);
  statuses.push(...(await collect(client, 1, 0)));
  client.close();
  return end(lane, before, statuses, closed);
}

/** To anybody: until the connection ends or nothing has come for a while. */
export async function sendAndSee(lane: Lane, item: Case): Promise<Outcome> {
  const before = begin(lane);
  const client = await RawClient.open(lane.port);
  client.send(item.send);
  const statuses = await collect(client, 1, 2500);
  statuses.push(...(await collect(client, 20, 150)));
  const closed = client.closed || (await client.ends(50));
  client.close();
  return end(lane, before, statuses, closed);
}

function begin(lane: Lane): number {
  lane.backend.forget();
  return lane.backend.requests.length;
}

function end(lane: Lane, before: number, statuses: number[], closed: boolean): Outcome {
  const reached = lane.backend
    .received()
    .toString("latin1")
    .replaceAll(/^X-Request-ID: [0-9a-f]{32}\r$/gm, "X-Request-ID: ID\r");
  return { statuses, closed, reached, requests: lane.backend.requests.length - before };
}

/** Calls `send` for every case, each lane one after the other. */
export async function sendAll<T>(
  lanes: Lane[],
  cases: readonly Case[],
  send: (lane: Lane, item: Case) => Promise<T>,
): Promise<Map<Case, T>> {
  const queue = [...cases];
  const outcomes = new Map<Case, T>();
  const work = async (lane: Lane) => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift())
      outcomes.set(item, await send(lane, item));
  };
  await Promise.all(lanes.map(work));
  return outcomes;
}
