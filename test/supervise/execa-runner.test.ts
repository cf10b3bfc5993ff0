// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { createExecaRunner } from "../../src/supervise/execa-runner.ts";
import { specOf, testRunner } from "./runner-contract.ts";

testRunner("the execa runner", createExecaRunner);

test("endAll ends everything, and only what this runner started", async (t) => {
  const [one, other] = [createExecaRunner(), createExecaRunner()];
  const mine = [0, 1].map(() => one.spawn(specOf("ignores-sigterm"), () => undefined));
  const stranger = other.spawn(specOf("ignores-sigterm"), () => undefined);
  t.after(() => other.endAll());
  one.endAll();
  const exits = await Promise.all(mine.map((child) => child.exited));
  assert.deepEqual(
    exits.map(({ signal }) => signal),
    ["SIGKILL", "SIGKILL"],
  );
  assert.equal(stranger.signal("SIGCONT"), true);
  const late = await one.spawn(specOf("ignores-sigterm"), () => undefined).exited;
  assert.match(late.error?.message ?? "", /nothing is started any more/);
});
