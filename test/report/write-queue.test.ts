// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TokenBucket } from "../../src/report/token-bucket.ts";
import { WriteQueue, type WriteResult } from "../../src/report/write-queue.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

function open(more: { concurrency?: number; burst?: number } = {}) {
  const clock = new FakeClock();
  const world = {
    allowed: true,
    answer: (_key: string, _wish: number): WriteResult | Promise<WriteResult> => "done",
    errors: [] as unknown[],
  };
  const written: string[] = [];
  const queue = new WriteQueue<number>({
    clock,
    random: () => 0,
    rate: { burst: more.burst ?? 100, intervalMs: 1000 },
    concurrency: more.concurrency ?? 2,
    backoff: { firstMs: 1000, maxMs: 60_000 },
    allowed: () => world.allowed,
    write: async (key, wish) => {
      written.push(`${key}${wish}`);
      return world.answer(key, wish);
    },
    onError: (_key, error) => world.errors.push(error),
  });
  return { clock, world, queue, written };
}

describe("the write queue", () => {
  test("writes the newest wish of each key, and is idle then", async () => {
    const { clock, world, queue, written } = open();
    world.allowed = false;
    queue.put("a", 1);
    queue.put("b", 1);
    queue.put("a", 2);
    queue.put("c", 1);
    queue.drop("c");
    await clock.advance(60_000);
    assert.deepEqual(written, []);
    world.allowed = true;
    queue.wake();
    await queue.idle();
    assert.deepEqual(written, ["a2", "b1"]);
    assert.equal(queue.size, 0);
    assert.equal(clock.pending, 0);
  });

  test("writes a key again that changed while it was written, but not one that was withdrawn", async () => {
    const { clock, world, queue, written } = open();
    const gates: (() => void)[] = [];
    world.answer = () => new Promise((resolve) => gates.push(() => resolve("done")));
    queue.put("a", 1);
    queue.put("b", 1);
    queue.put("a", 2);
    queue.drop("b");
    queue.put("c", 1);
    await clock.advance(0);
    assert.deepEqual(written, ["a1", "b1"]);
    while (queue.size > 0) {
      gates.shift()?.();
      await clock.advance(0);
    }
    assert.deepEqual(written.toSorted(), ["a1", "a2", "b1", "c1"]);
  });

  test("waits before it repeats one, and longer each time; another wish is tried at once", async () => {
    const { clock, world, queue, written } = open();
    world.answer = () => "again";
    queue.put("a", 1);
    await clock.advance(499);
    assert.equal(written.length, 1);
    await clock.advance(1);
    assert.equal(written.length, 2);
    await clock.advance(999);
    assert.equal(written.length, 2);
    queue.put("a", 1);
    await clock.advance(0);
    assert.equal(written.length, 2);
    queue.put("a", 2);
    await clock.advance(0);
    assert.deepEqual(written, ["a1", "a1", "a2"]);
  });

  test("asks nothing of a server that does not answer until the pause is over, then all of it", async () => {
    const { clock, world, queue, written } = open({ concurrency: 1 });
    world.answer = () => {
      throw new Error("refused");
    };
    for (const key of ["a", "b", "c"]) queue.put(key, 1);
    await clock.advance(499);
    assert.deepEqual(written, ["a1"]);
    assert.equal(world.errors.length, 1);
    // An hour of it: back-off keeps that to a hundred and twenty or so.
    await clock.advance(3_600_000);
    assert.ok(written.length < 150, String(written.length));
    world.answer = () => "done";
    await clock.advance(60_000);
    assert.equal(queue.size, 0);
  });

  test("keeps to its rate", async () => {
    const { clock, queue, written } = open({ burst: 3 });
    for (let i = 0; i < 10; i++) queue.put(`k${i}-`, 1);
    await clock.advance(0);
    assert.equal(written.length, 3);
    await clock.advance(4000);
    assert.equal(written.length, 7);
  });

  test("stops after what it has begun", async () => {
    const { clock, world, queue, written } = open({ concurrency: 1 });
    let finish = () => {};
    world.answer = () => new Promise((resolve) => (finish = () => resolve("again")));
    queue.put("a", 1);
    queue.put("b", 1);
    await clock.advance(0);
    const stopped = queue.stop();
    finish();
    await stopped;
    await clock.advance(60_000);
    assert.deepEqual(written, ["a1"]);
  });
});

test("a token bucket gives a burst, then an even rate, and fills up again", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, { burst: 2, intervalMs: 100 });
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [0, 0, 100]);
  await clock.advance(50);
  assert.equal(bucket.take(), 50);
  await clock.advance(50);
  assert.equal(bucket.take(), 0);
  assert.equal(bucket.full, false);
  await clock.advance(10_000);
  assert.equal(bucket.full, true);
});
