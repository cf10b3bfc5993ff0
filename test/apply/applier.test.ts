// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakePlane, makeDesired } from "./fake-plane.ts";

const codes = (outcome: Awaited<ReturnType<FakePlane["applier"]["apply"]>>) =>
  outcome.failures.map((failure) => `${failure.step} ${failure.error.code}`);

describe("applying", () => {
  test("starts Balance before Hitch, with private files", async () => {
    const plane = new FakePlane();
    const outcome = await plane.applier.apply(makeDesired(["a"], "one"));
    assert.deepEqual(outcome.failures, []);
    assert.deepEqual(plane.events, ["start balance", "check hitch", "start hitch"]);
    assert.deepEqual(new Set(plane.fs.modes.values()), new Set([0o600]));
    assert.deepEqual([...plane.fs.files.keys()].sort(), [
      "/run/balance.conf",
      "/run/certs/a.pem",
      "/run/hitch.conf",
    ]);
  });

  test("an endpoint change reloads Balance alone; the same again does nothing", async () => {
    const plane = new FakePlane();
    await plane.applier.apply(makeDesired(["a"], "one"));
    plane.events.length = 0;
    plane.records.length = 0;
    const { reloads } = await plane.applier.apply(makeDesired(["a"], "two"));
    const [record, ...others] = plane.records;
    assert.deepEqual(
      [record?.child, record?.reason, record?.result, others],
      ["balance", "endpoints", "ok", []],
    );
    assert.ok(record !== undefined && record.at > 0 && record.durationMs >= 0);
    assert.deepEqual(plane.events, ["reload balance"]);
    assert.deepEqual(reloads, [{ child: "balance", reason: "endpoints", result: "ok" }]);
    await plane.applier.apply(makeDesired(["a"], "two"));
    assert.deepEqual(plane.events, ["reload balance"]);
  });

  test("an old key goes only after Hitch runs without it", async () => {
    const plane = new FakePlane();
    await plane.applier.apply(makeDesired(["a"], "one"));
    plane.hitchUnverified = true;
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["b"], "one"))), ["hitch UNVERIFIED"]);
    assert.ok(plane.fs.files.has("/run/certs/a.pem"));
    plane.hitchUnverified = false;
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["b"], "one"))), []);
    assert.ok(!plane.fs.files.has("/run/certs/a.pem"));
    assert.ok(plane.fs.files.has("/run/certs/b.pem"));
  });

  test("what Hitch would refuse is never installed; Balance's part goes on", async () => {
    const plane = new FakePlane();
    const good = makeDesired(["a"], "one");
    await plane.applier.apply(good);
    plane.events.length = 0;
    const outcome = await plane.applier.apply(makeDesired(["a"], "two", "BAD"));
    assert.deepEqual(codes(outcome), ["hitch REFUSED"]);
    assert.deepEqual(plane.events, ["reload balance", "check hitch"]);
    assert.equal(plane.fs.files.get("/run/hitch.conf"), good.hitchConf);
    assert.ok(!plane.fs.files.has("/run/hitch.conf.next"));
    assert.deepEqual(
      outcome.reloads.map((report) => report.result),
      ["ok", "refused"],
    );
  });

  test("what Balance refuses is rolled back; Hitch's part goes on", async () => {
    const plane = new FakePlane();
    const good = makeDesired(["a"], "one");
    await plane.applier.apply(good);
    const outcome = await plane.applier.apply(makeDesired(["b"], "BAD"));
    assert.deepEqual(codes(outcome), ["balance REFUSED"]);
    assert.equal(plane.fs.files.get("/run/balance.conf"), good.balanceConf);
    assert.equal(plane.hitchRuns, makeDesired(["b"], "BAD").hitchConf);
    // Back to what runs already: nothing to do for Balance.
    plane.events.length = 0;
    await plane.applier.apply(makeDesired(["b"], "one"));
    assert.deepEqual(plane.events, []);
  });

  test("without an answer nothing is assumed: going back to the old text is a change then", async () => {
    const plane = new FakePlane();
    await plane.applier.apply(makeDesired(["a"], "one"));
    plane.balanceSilent = true;
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["a"], "two"))), ["balance UNVERIFIED"]);
    plane.balanceSilent = false;
    plane.events.length = 0;
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["a"], "one"))), []);
    assert.deepEqual(plane.events, ["reload balance"]);
    assert.equal(plane.balanceRuns, makeDesired(["a"], "one").balanceConf);
  });

  test("a child that is away keeps its last good file until it is back", async () => {
    const plane = new FakePlane();
    const good = makeDesired(["a"], "one");
    await plane.applier.apply(good);
    plane.balanceRuns = undefined;
    plane.hitchRuns = undefined;
    const next = makeDesired(["b"], "two");
    assert.deepEqual(codes(await plane.applier.apply(next)), ["balance NOT_RUNNING", "hitch NOT_RUNNING"]);
    assert.equal(plane.loadBalance(), good.balanceConf);
    assert.equal(plane.loadHitch(), good.hitchConf);
    plane.balanceRuns = plane.loadBalance();
    plane.hitchRuns = plane.loadHitch();
    assert.deepEqual(codes(await plane.applier.apply(next)), []);
  });

  test("Hitch's reloads keep their distance; Balance's do not wait", async () => {
    const plane = new FakePlane(5000);
    await plane.applier.apply(makeDesired(["a"], "one"));
    await plane.applier.apply(makeDesired(["b"], "one"));
    plane.events.length = 0;
    await plane.clock.advance(1000);
    const { deferredUntil, failures } = await plane.applier.apply(makeDesired(["c"], "two"));
    assert.deepEqual(failures, []);
    assert.deepEqual(plane.events, ["reload balance"]);
    assert.equal(deferredUntil, plane.clock.now() + 4000);
    assert.ok(plane.fs.files.has("/run/certs/b.pem"));
    await plane.clock.advance(4000);
    assert.equal((await plane.applier.apply(makeDesired(["c"], "two"))).deferredUntil, undefined);
    assert.deepEqual(plane.events, ["reload balance", "check hitch", "reload hitch"]);
  });
});

describe("a failed reload", () => {
  test("goes on being a failure while the next attempt waits", async () => {
    const plane = new FakePlane(5000);
    await plane.applier.apply(makeDesired(["a"], "one"));
    await plane.clock.advance(5000);
    plane.hitchUnverified = true;
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["b"], "one"))), ["hitch UNVERIFIED"]);
    plane.hitchUnverified = false;
    await plane.clock.advance(1000);
    plane.events.length = 0;
    const waiting = await plane.applier.apply(makeDesired(["b"], "one"));
    assert.deepEqual(codes(waiting), ["hitch UNVERIFIED"]);
    assert.deepEqual(waiting.reloads, []);
    assert.equal(waiting.deferredUntil, plane.clock.now() + 4000);
    assert.deepEqual(plane.events, []);
    await plane.clock.advance(4000);
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["b"], "one"))), []);
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["b"], "one"))), []);
  });

  test("is forgotten when what failed is no longer wanted", async () => {
    const plane = new FakePlane(5000);
    const good = makeDesired(["a"], "one");
    await plane.applier.apply(good);
    await plane.clock.advance(5000);
    assert.deepEqual(codes(await plane.applier.apply(makeDesired(["a"], "one", "BAD"))), ["hitch REFUSED"]);
    assert.deepEqual(codes(await plane.applier.apply(good)), []);
  });
});

describe("every file operation failing in turn", () => {
  const before = makeDesired(["a"], "one");
  const after = makeDesired(["b"], "two");

  test("a disk on which the n-th operation of an update fails", async () => {
    let operations = Number.POSITIVE_INFINITY;
    for (let index = 0; index < operations; index++) await failOnce(index, (count) => (operations = count));
    assert.ok(operations > 10, `${operations} operations`);
  });

  test("a disk that stays full from the n-th operation on", async () => {
    for (let index = 0; index < 20; index++) {
      const plane = new FakePlane();
      await plane.applier.apply(before);
      const start = plane.fs.log.length;
      plane.fs.failAt = (operation, i) => i >= start + index && /^(write|link)/.test(operation);
      const first = await plane.applier.apply(after);
      const second = await plane.applier.apply(after);
      assertLoadable(plane, `full from ${index}`);
      assert.equal(first.failures.length === 0, second.failures.length === 0);
      plane.fs.failAt = () => false;
      assert.deepEqual(codes(await plane.applier.apply(after)), [], `full from ${index}: the retry`);
      assertApplied(plane);
    }
  });

  async function failOnce(index: number, tell: (operations: number) => void): Promise<void> {
    const plane = new FakePlane();
    await plane.applier.apply(before);
    const start = plane.fs.log.length;
    plane.fs.failAt = (_, i) => i === start + index;
    await plane.applier.apply(after);
    tell(plane.fs.log.length - start);
    const failed = plane.fs.log[start + index] ?? "nothing";
    assertLoadable(plane, failed);
    const retry = await plane.applier.apply(after);
    assert.deepEqual(codes(retry), [], `the retry after a failed ${failed}`);
    assertApplied(plane);
  }

  /** Both children could be started from what is on the disk, and serve the old or the new configuration. */
  function assertLoadable(plane: FakePlane, failed: string): void {
    assert.ok([before.hitchConf, after.hitchConf].includes(plane.loadHitch()), failed);
    assert.ok([before.balanceConf, after.balanceConf].includes(plane.loadBalance()), failed);
  }

  function assertApplied(plane: FakePlane): void {
    assert.equal(plane.loadHitch(), after.hitchConf);
    assert.equal(plane.loadBalance(), after.balanceConf);
    assert.equal(plane.hitchRuns, after.hitchConf);
    assert.equal(plane.balanceRuns, after.balanceConf);
  }
});
