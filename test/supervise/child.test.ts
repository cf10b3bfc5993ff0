// SPDX-License-Identifier: Apache-2.0
/** The supervisor with real, bad children. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { Child, type ChildOptions } from "../../src/supervise/child.ts";
import type { ChildState } from "../../src/supervise/child-state.ts";
import { createExecaRunner } from "../../src/supervise/execa-runner.ts";
import { eventually } from "../fixtures/eventually.ts";
import { isAlive, type Program, specOf } from "./runner-contract.ts";

const POLICY = {
  backoff: { firstMs: 20, maxMs: 100 },
  stableMs: 60_000,
  startTimeoutMs: 10_000,
};

function supervise(t: TestContext, program: Program, more: Partial<ChildOptions> = {}) {
  const lines: string[] = [];
  const states: ChildState[] = [];
  const pids: number[] = [];
  const child = new Child({
    name: program,
    spec: specOf(program),
    runner: createExecaRunner(),
    clock: systemClock,
    random: () => 0.5,
    policy: POLICY,
    probe: async () => lines.length > 0,
    probeIntervalMs: 10,
    onLine: (line) => lines.push(line),
    onState: (state) => states.push(state),
    onSpawn: (pid) => pids.push(pid),
    ...more,
  });
  t.after(() => child.stop(0));
  const phases = () => states.map((state) => state.phase);
  return { child, lines, states, phases, pids };
}

test("a child that dies at once is started again and again, ever slower", async (t) => {
  const { child, states, pids } = supervise(t, "dies-at-once", { probe: async () => false });
  child.start();
  await eventually("five starts", () => pids.length >= 5);
  const deaths = states.flatMap((state) => (state.phase === "backoff" ? [state.deaths] : []));
  assert.deepEqual(deaths.slice(0, 4), [1, 2, 3, 4]);
});

test("a killed child is noticed and replaced", async (t) => {
  const { child, phases, pids } = supervise(t, "ignores-sigterm");
  child.start();
  await eventually("ready", () => child.state.phase === "ready");
  const [first] = pids;
  assert.ok(first !== undefined);
  process.kill(first, "SIGKILL");
  await eventually("ready again", () => phases().filter((phase) => phase === "ready").length === 2);
  assert.deepEqual(phases(), ["starting", "ready", "backoff", "starting", "ready"]);
  assert.notEqual(child.pid, first);
});

test("a child that ignores SIGTERM is killed when its time is over", async (t) => {
  const { child, phases, pids } = supervise(t, "ignores-sigterm");
  child.start();
  await eventually("ready", () => child.state.phase === "ready");
  await child.stop(100);
  assert.deepEqual(phases(), ["starting", "ready", "draining", "stopped"]);
  assert.equal(isAlive(pids[0] ?? 0), false);
});

test("what a child forked does not outlive it", async (t) => {
  const { child, lines, pids } = supervise(t, "forks");
  child.start();
  await eventually("ready", () => child.state.phase === "ready");
  const grandchild = Number(lines[0]?.split(" ")[1]);
  process.kill(pids[0] ?? 0, "SIGKILL");
  await eventually("the grandchild's end", () => !isAlive(grandchild));
  await eventually("a new start", () => pids.length === 2);
});

test("a child that never gets ready is replaced", async (t) => {
  const { child, phases } = supervise(t, "ignores-sigterm", {
    probe: async () => {
      throw new Error("no answer");
    },
    policy: { ...POLICY, startTimeoutMs: 50 },
  });
  child.start();
  await eventually("a second start", () => phases().filter((phase) => phase === "starting").length >= 2);
  assert.ok(!phases().includes("ready"));
});

test("a missing program is failed; a retry finds it when it is there", async (t) => {
  const { child, states } = supervise(t, "forks", { spec: { ...specOf("forks"), file: "/nowhere/hitch" } });
  child.start();
  await eventually("failed", () => child.state.phase === "failed");
  assert.match(JSON.stringify(states.at(-1)), /ENOENT/);
  child.retryNow();
  assert.equal(child.state.phase, "starting");
});

test("stopping what waits in back-off ends at once, and for good", async (t) => {
  const { child } = supervise(t, "dies-at-once", {
    policy: { ...POLICY, backoff: { firstMs: 60_000, maxMs: 60_000 } },
  });
  child.start();
  await eventually("back-off", () => child.state.phase === "backoff");
  await child.stop(1000);
  assert.equal(child.state.phase, "stopped");
  child.start();
  child.retryNow();
  assert.equal(child.state.phase, "stopped");
});

test("stopping what was never started ends at once", async (t) => {
  const { child, pids } = supervise(t, "dies-at-once");
  await child.stop(1000);
  child.start();
  assert.deepEqual([child.state.phase, pids], ["stopped", []]);
});
