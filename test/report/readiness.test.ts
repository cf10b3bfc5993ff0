// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { listBroken, listMissing, type ReadinessInput } from "../../src/run/readiness.ts";

const child = (name: string, phase: string) => ({ name, ready: phase === "ready", state: { phase } });

function input(more: Record<string, unknown> = {}): ReadinessInput {
  return {
    source: { synced: true },
    applier: { applied: { hitch: {}, balance: {} } },
    plane: { hitch: child("hitch", "ready"), balance: child("balance", "ready") },
    stopping: false,
    now: 10_000_000,
    ...more,
  } as unknown as ReadinessInput;
}

test("ready is: synced, both children ready, both configurations live, not stopping", () => {
  assert.deepEqual(listMissing(input()), []);
  const plane = { hitch: child("hitch", "backoff"), balance: child("balance", "starting") };
  assert.deepEqual(listMissing(input({ plane })), ["balance is starting", "hitch is backoff"]);
  assert.deepEqual(listMissing(input({ source: { synced: false } })), ["the source has not synced"]);
  assert.deepEqual(listMissing(input({ applier: { applied: { balance: {} } } })), [
    "no configuration is live in hitch",
  ]);
  assert.deepEqual(listMissing(input({ applier: { applied: { hitch: {} } } })), [
    "no configuration is live in balance",
  ]);
  assert.deepEqual(listMissing(input({ stopping: true })), ["shutting down"]);
});

test("a cache is stale when the API server answers and changes are not heard of all the same", () => {
  const now = 10_000_000;
  const deaf = { synced: true, staleSince: now - 3_600_000 };
  // An outage of an hour changes nothing, nor does want of a cluster.
  assert.deepEqual(listMissing(input({ source: deaf, answeredAt: now - 3_600_000 })), []);
  assert.deepEqual(listMissing(input({ source: deaf })), []);
  assert.match(listMissing(input({ source: deaf, answeredAt: now - 2000 })).join(), /^the cache is stale/);
  // A restart of the API server.
  const justNow = { synced: true, staleSince: now - 120_000 };
  assert.deepEqual(listMissing(input({ source: justNow, answeredAt: now - 2000 })), []);
});

test("alive is anything but a sync that never ends", () => {
  assert.deepEqual(listBroken({ busyMs: 0 }), []);
  assert.equal(listBroken({ busyMs: 3_600_000 }).length, 1);
});
