// SPDX-License-Identifier: Apache-2.0
// Many clients that do little: slow heads and idle connections, by the program as shipped.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { type Respond, text } from "./http-lib/backend.ts";
import { skipWithoutShipped } from "./http-lib/balance.ts";
import { type Lane, startSingle } from "./http-lib/lane.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";
import { until } from "./lib/until.ts";

const MB = 1 << 20;

/** Opens them some at a time: a backlog is shorter than a crowd. */
async function crowd(t: TestContext, port: number, n: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  t.after(() => {
    for (const client of clients) client.close();
  });
  while (clients.length < n) {
    const more = Math.min(200, n - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: more }, () => RawClient.open(port)))));
  }
  return clients;
}

async function connections(lane: Lane): Promise<number> {
  return (await lane.balance.status()).workers.reduce((sum, w) => sum + w.connections, 0);
}

/** Descriptors this process may have; Balance has as many. */
function descriptorLimit(): number {
  const text = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return text === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(text);
}

suite("crowds in the HTTP lane", { skip: skipWithoutShipped() }, () => {
  test("500 slow heads: others are served, each ends with 408", async (t) => {
    const lane = await startSingle(t, undefined, {
      before: "http head-timeout=1.5",
      shipped: true,
      workers: 2,
    });
    const before = await lane.balance.resident();
    const slow = await crowd(t, lane.port, 500);
    const head = Buffer.from(get("/slow", "a.example", `X: ${"x".repeat(1000)}\r\n`));
    let at = 0;
    // A byte now and then buys no time.
    const timer = setInterval(() => {
      for (const client of slow) if (!client.closed) client.send(head.subarray(at, at + 1));
      at++;
    }, 50);
    t.after(() => clearInterval(timer));
    for (let i = 0; i < 100; i++) assert.equal((await lane.get("/")).status, 200);
    const grown = (await lane.balance.resident()) - before;
    t.diagnostic(`500 slow heads: resident memory grew by ${(grown / MB).toFixed(1)} MB`);
    assert.ok(grown < 500 * 40 * 1024, "a buffer each");
    for (const client of slow) {
      assert.equal((await client.answer()).status, 408);
      assert.ok(await client.ends());
    }
    assert.ok(lane.pod.requests.every((r) => r.line === "GET / HTTP/1.1"));
  });

  test("10,000 idle clients: others are served, and memory is small", async (t) => {
    const limit = descriptorLimit();
    const n = Math.min(10_000, Math.floor(limit / 2));
    const lane = await startSingle(t, undefined, { shipped: true, workers: 4 });
    assert.equal((await lane.get("/")).status, 200);
    const before = await lane.balance.resident();
    const idle = await crowd(t, lane.port, n);
    await until("all are taken", async () => (await connections(lane)) >= n, 30_000);
    for (let i = 0; i < 100; i++) assert.equal((await lane.get("/")).status, 200);
    const grown = (await lane.balance.resident()) - before;
    t.diagnostic(`${n} idle clients: ${(grown / n / 1024).toFixed(1)} KB each in Balance`);
    assert.ok(grown < n * 4096);
    const used = idle.slice(0, 500);
    for (const client of used) client.send(get("/"));
    for (const client of used) assert.equal((await client.answer()).status, 200);
    assert.equal(idle.filter((c) => c.closed).length, 0);
  });

  test("200 requests at a time, again and again: the pod's connections are kept, however many there are", async (t) => {
    const waiting: Socket[] = [];
    const respond: Respond = (_, socket) => {
      waiting.push(socket);
      return undefined;
    };
    const lane = await startSingle(t, respond, { shipped: true, workers: 1 });
    const clients = await crowd(t, lane.port, 200);
    for (let round = 0; round < 5; round++) {
      for (const client of clients) client.send(get("/"));
      await until("all wait for the pod", () => waiting.length === clients.length);
      for (const socket of waiting.splice(0)) socket.write(text("ok"));
      for (const client of clients) assert.equal((await client.answer()).status, 200);
    }
    assert.equal(lane.pod.accepted, clients.length);
  });
});
