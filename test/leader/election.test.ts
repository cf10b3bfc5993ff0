// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  ELECTION_TIMES,
  INITIAL_STATE,
  isLeading,
  judge,
  type LeaseSpec,
  makeRecord,
  makeReleased,
  notWon,
  observe,
  won,
} from "../../src/leader/election.ts";

const held = (holderIdentity: string, renewTime: string): LeaseSpec => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  acquireTime: "2026-01-01T00:00:00.000000Z",
  renewTime,
  leaseTransitions: 3,
});

describe("who may write the Lease", () => {
  test("anybody when it does not exist, when it was released, and its holder", () => {
    assert.equal(judge(observe(INITIAL_STATE, undefined, 0), "a", ELECTION_TIMES, 0).mayWrite, true);
    const released = makeReleased(held("b", "x"), "y");
    assert.equal(judge(observe(INITIAL_STATE, released, 0), "a", ELECTION_TIMES, 0).mayWrite, true);
    assert.equal(judge(observe(INITIAL_STATE, held("a", "x"), 0), "a", ELECTION_TIMES, 0).mayWrite, true);
  });

  test("others only when the record has not changed for the time of a lease, whatever times it names", () => {
    // Ten years away from any clock of ours, in either direction.
    for (const time of ["2016-01-01T00:00:00.000000Z", "2036-01-01T00:00:00.000000Z"]) {
      let state = observe(INITIAL_STATE, held("b", time), 1000);
      assert.deepEqual(judge(state, "a", ELECTION_TIMES, 15_999), { mayWrite: false, expiresAt: 16_000 });
      state = observe(state, held("b", time), 15_999);
      assert.deepEqual(judge(state, "a", ELECTION_TIMES, 16_000), { mayWrite: true });
      state = observe(state, held("b", `${time}1`), 15_999);
      assert.equal(judge(state, "a", ELECTION_TIMES, 16_000).mayWrite, false);
    }
  });
});

test("transitions are counted when the holder changes, and the time it began is kept while it does not", () => {
  const first = makeRecord(undefined, "a", ELECTION_TIMES, "t1");
  assert.deepEqual(first, {
    holderIdentity: "a",
    leaseDurationSeconds: 15,
    acquireTime: "t1",
    renewTime: "t1",
    leaseTransitions: 0,
  });
  assert.deepEqual(makeRecord(first, "a", ELECTION_TIMES, "t2"), { ...first, renewTime: "t2" });
  const next = makeRecord(first, "b", ELECTION_TIMES, "t3");
  assert.deepEqual([next.leaseTransitions, next.acquireTime], [1, "t3"]);
});

describe("a leader", () => {
  const leading = won(INITIAL_STATE, held("a", "t"), 1000);

  test("stays one while it can't renew, but not longer than the deadline", () => {
    assert.equal(notWon(leading, "a", ELECTION_TIMES, 10_999).leading, true);
    assert.equal(notWon(leading, "a", ELECTION_TIMES, 11_000).leading, false);
  });

  test("is none any more when another holds the Lease", () => {
    const seen = observe(leading, held("b", "u"), 2000);
    assert.equal(notWon(seen, "a", ELECTION_TIMES, 2000).leading, false);
  });

  test("does not believe itself after a long sleep", () => {
    assert.equal(isLeading(leading, ELECTION_TIMES, 15_999), true);
    assert.equal(isLeading(leading, ELECTION_TIMES, 16_000), false);
  });
});
