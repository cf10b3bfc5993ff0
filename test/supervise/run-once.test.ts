// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createExecaRunner } from "../../src/supervise/execa-runner.ts";
import { runOnce } from "../../src/supervise/run-once.ts";
import { specOf } from "./runner-contract.ts";

const runner = createExecaRunner();

test("tells the exit code and the last lines", async () => {
  const { code, lines, timedOut } = await runOnce(runner, systemClock, specOf("dies-at-once"), 10_000);
  assert.deepEqual({ code, lines, timedOut }, { code: 3, lines: ["can't go on"], timedOut: false });
  const flood = await runOnce(runner, systemClock, specOf("floods-stderr"), 10_000);
  assert.equal(flood.lines.at(-1), "line 1999");
  assert.equal(flood.lines.length, 20);
});

test("ends a program that does not end, and all it started", async () => {
  const { timedOut, signal } = await runOnce(runner, systemClock, specOf("forks"), 100);
  assert.deepEqual({ timedOut, signal }, { timedOut: true, signal: "SIGKILL" });
});

test("a program that is not there is a result, not an exception", async () => {
  const { error } = await runOnce(runner, systemClock, { ...specOf("forks"), file: "/nowhere" }, 100);
  assert.match(error?.message ?? "", /ENOENT/);
});
