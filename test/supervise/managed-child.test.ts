// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createExecaRunner } from "../../src/supervise/execa-runner.ts";
import { ManagedChild } from "../../src/supervise/managed-child.ts";
import { type Program, specOf } from "./runner-contract.ts";

function manage(t: TestContext, program: Program, probe: () => Promise<boolean>, file?: string) {
  const spec = file === undefined ? specOf(program) : { ...specOf(program), file };
  const child = new ManagedChild({
    name: "hitch",
    spec,
    runner: createExecaRunner(),
    clock: systemClock,
    random: Math.random,
    probe,
    probeIntervalMs: 10,
    onLine: () => undefined,
    onState: () => undefined,
  });
  t.after(() => child.stop(0));
  return child;
}

test("ensureReady starts a child once, and resolves when it is ready", async (t) => {
  const child = manage(t, "ignores-sigterm", async () => true);
  await Promise.all([child.ensureReady(), child.ensureReady()]);
  const { pid } = child;
  await child.ensureReady();
  assert.equal(child.pid, pid);
  assert.equal(child.ready, true);
});

test("ensureReady rejects at the first death, at a missing program, in time, and after the stop", async (t) => {
  const dying = manage(t, "dies-at-once", async () => false);
  await assert.rejects(dying.ensureReady(), { code: "UNVERIFIED", message: /^hitch ended at its start/ });
  const missing = manage(t, "forks", async () => false, "/nowhere/hitch");
  await assert.rejects(missing.ensureReady(), { code: "UNVERIFIED", message: /ENOENT/ });
  const slow = manage(t, "ignores-sigterm", async () => false);
  await assert.rejects(slow.ensureReady(50), { code: "UNVERIFIED", message: /not ready within 50 ms/ });
  await slow.stop(0);
  await assert.rejects(slow.ensureReady(), { code: "NOT_RUNNING" });
});

test("lines are told to everybody who listens, until he has heard enough", async (t) => {
  const child = manage(t, "forks", async () => true);
  const heard: string[] = [];
  const end = child.onLine((line) => heard.push(line));
  await child.ensureReady();
  for (let i = 0; i < 200 && heard.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(heard[0] ?? "", /^grandchild \d+$/);
  end();
  const before = heard.length;
  await child.stop(0);
  assert.equal(heard.length, before);
});
