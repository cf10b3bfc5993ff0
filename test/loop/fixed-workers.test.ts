// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { FixedWorkers } from "../../src/loop/fixed-workers.ts";
import type { Ir } from "../../src/model/types.ts";
import { assembleStore } from "../../src/store/assemble-store.ts";
import { SETTINGS } from "../helpers/settings.ts";

const makeIr = (workers: number) =>
  ({
    hitch: { workers },
    balance: { workers, guests: { most: workers * 2, socket: "/run/join.sock" } },
  }) as unknown as Ir;
const { store } = assembleStore([]);

test("Balance keeps the numbers of workers and guests that it started with, and what differs is told", () => {
  const fixed = new FixedWorkers();
  const first = makeIr(2);
  assert.equal(fixed.apply(first, store, SETTINGS).ir, first);
  const { ir, problems } = fixed.apply(makeIr(3), store, SETTINGS);
  assert.deepEqual([ir.hitch.workers, ir.balance.workers, ir.balance.guests?.most], [3, 2, 4]);
  assert.deepEqual(
    problems.map(({ reason, ref }) => [reason, ref.name]),
    [["RestartNeeded", "balance"]],
  );
  assert.deepEqual(fixed.apply(makeIr(2), store, SETTINGS).problems, []);
});
