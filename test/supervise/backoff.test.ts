// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { computeBackoff } from "../../src/supervise/backoff.ts";

const policy = { firstMs: 200, maxMs: 30_000 };

test("doubles up to the limit and keeps at least half", () => {
  const full = (failures: number) => computeBackoff(policy, failures, 0.999_999);
  const least = (failures: number) => computeBackoff(policy, failures, 0);
  assert.deepEqual([1, 2, 3, 4].map(full), [200, 400, 800, 1600]);
  assert.deepEqual([1, 2, 3, 4].map(least), [100, 200, 400, 800]);
  assert.equal(full(9), 30_000);
  assert.equal(least(1_000_000), 15_000);
});

test("the first delay is under a second", () => {
  for (let random = 0; random < 1; random += 0.01) assert.ok(computeBackoff(policy, 1, random) <= 200);
});
