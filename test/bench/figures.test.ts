// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { median, percentile, spread } from "../../bench/lib/figures.ts";
import { formatElapsed } from "../../bench/lib/progress.ts";

test("medians, spreads and percentiles, in whatever order the values come", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => ((i * 37) % 100) + 1);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(spread([3, 1, 2], 0), "1–3");
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 1), 100);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile([7], 0.99), 7);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test("elapsed time in minutes and seconds", () => {
  assert.deepEqual([0, 7_999, 60_000, 1_745_000].map(formatElapsed), ["0:00", "0:07", "1:00", "29:05"]);
});
