// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Debounce } from "../../src/loop/debounce.ts";
import { Loop, type SyncResult } from "../../src/loop/loop.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

describe("Debounce", () => {
  const open = () => {
    const clock = new FakeClock();
    const start = clock.now();
    const at: number[] = [];
    const debounce = new Debounce(clock, { holdOffMs: 20, maxDelayMs: 100 }, () =>
      at.push(clock.now() - start),
    );
    return { clock, at, debounce };
  };

  test("one change, one action after the hold-off", async () => {
    const { clock, at, debounce } = open();
    debounce.trigger();
    await clock.advance(1000);
    assert.deepEqual(at, [20]);
  });

  test("a burst is one action; an endless one acts at the maximum delay", async () => {
    const { clock, at, debounce } = open();
    for (let i = 0; i < 30; i++) {
      debounce.trigger();
      await clock.advance(10);
    }
    assert.deepEqual(at, [100, 200, 300]);
    debounce.trigger();
    debounce.cancel();
    await clock.advance(1000);
    assert.equal(at.length, 3);
  });
});

describe("Loop", () => {
  function open(sync: (count: number) => Promise<SyncResult>) {
    const clock = new FakeClock();
    const start = clock.now();
    const at: number[] = [];
    const errors: unknown[] = [];
    const loop = new Loop({
      clock,
      random: () => 0.999_999,
      debounce: { holdOffMs: 20, maxDelayMs: 100 },
      backoff: { firstMs: 500, maxMs: 2000 },
      resyncMs: 60_000,
      sync: () => {
        at.push(clock.now() - start);
        return sync(at.length);
      },
      onError: (error) => errors.push(error),
    });
    return { clock, at, errors, loop };
  }

  test("syncs at its start, after a change, and after a long time", async () => {
    const { clock, at, loop } = open(async () => ({ ok: true }));
    loop.trigger();
    await clock.advance(1000);
    assert.deepEqual(at, []);
    loop.start();
    loop.trigger();
    await clock.advance(60_000);
    await clock.advance(100);
    assert.deepEqual(at, [1000, 1020, 61_020]);
  });

  test("never runs twice at a time; a change during a sync is synced afterwards", async () => {
    let release: () => void = () => undefined;
    let running = 0;
    const { clock, at, loop } = open(async () => {
      running++;
      assert.equal(running, 1);
      await new Promise<void>((resolve) => (release = resolve));
      running--;
      return { ok: true };
    });
    loop.start();
    loop.trigger();
    await clock.advance(1000);
    assert.equal(at.length, 1);
    release();
    await settle();
    await clock.advance(100);
    assert.equal(at.length, 2);
    release();
    await settle();
    await clock.advance(1000);
    assert.equal(at.length, 2);
  });

  test("failures come back ever later, errors are told, success ends it", async () => {
    const { clock, at, errors, loop } = open(async (count) => {
      if (count === 2) throw new Error("broken");
      return { ok: count > 5 };
    });
    loop.start();
    await clock.advance(30_000);
    assert.deepEqual(at, [0, 500, 1500, 3500, 5500, 7500]);
    assert.equal(errors.length, 1);
  });

  test("what is deferred comes at its time", async () => {
    const { clock, at, loop } = open(async (count) =>
      count === 1 ? { ok: true, again: clock.now() + 300 } : { ok: true },
    );
    loop.start();
    await clock.advance(1000);
    assert.deepEqual(at, [0, 300]);
  });

  test("stop waits for the running sync and lets no other begin", async () => {
    let release: () => void = () => undefined;
    const { clock, at, loop } = open(async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return { ok: false };
    });
    loop.start();
    await settle();
    let stopped = false;
    const stop = loop.stop().then(() => (stopped = true));
    loop.trigger();
    await clock.advance(1000);
    assert.equal(stopped, false);
    release();
    await stop;
    await clock.advance(100_000);
    assert.equal(at.length, 1);
    assert.equal(clock.pending, 0);
  });
});
