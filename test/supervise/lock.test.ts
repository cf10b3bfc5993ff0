// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createExecaRunner } from "../../src/supervise/execa-runner.ts";
import { lockRunDir, RunDirBusyError } from "../../src/supervise/lock.ts";
import { parseStat } from "../../src/supervise/process-table.ts";
import { endStaleChildren, recordChild } from "../../src/supervise/stale.ts";
import { eventually } from "../fixtures/eventually.ts";
import { isAlive, specOf } from "./runner-contract.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "evener-lock-"));
});
afterEach(() => rm(dir, { recursive: true }));

test("a run directory is one controller's; releasing it lets the next one in", async () => {
  const release = await lockRunDir(dir);
  await assert.rejects(lockRunDir(dir), RunDirBusyError);
  await release();
  await (await lockRunDir(dir))();
});

test("what a dead controller left is taken over, even when its pid lives again", async () => {
  for (const left of ["999999999 1\n", `${process.pid} 1\n`, "", "nonsense"]) {
    await writeFile(join(dir, "evener.pid"), left);
    const release = await lockRunDir(dir);
    assert.match(await readFile(join(dir, "evener.pid"), "utf8"), new RegExp(`^${process.pid} \\d+\n$`));
    await release();
  }
});

test("only recorded processes whose arguments name our file are ended", async (t) => {
  const marker = join(dir, "hitch.conf");
  const runner = createExecaRunner();
  const ours = runner.spawn(specOf("ignores-sigterm", [`--config=${marker}`]), () => undefined);
  const other = runner.spawn(specOf("ignores-sigterm", [`--config=${marker}.other`]), () => undefined);
  t.after(() => [ours, other].map((child) => child.signalGroup("SIGKILL")));
  await eventually("both run", () => isAlive(ours.pid ?? 0) && isAlive(other.pid ?? 0));

  await recordChild(dir, "hitch", other.pid ?? 0);
  assert.deepEqual(await endStaleChildren(dir, "hitch", marker, systemClock), []);
  assert.equal(isAlive(other.pid ?? 0), true);

  await recordChild(dir, "hitch", ours.pid ?? 0);
  assert.ok((await endStaleChildren(dir, "hitch", marker, systemClock)).includes(ours.pid ?? 0));
  assert.equal((await ours.exited).signal, "SIGKILL");
  assert.deepEqual(await endStaleChildren(dir, "hitch", marker, systemClock), []);
});

test("proc stat is read past any command name", () => {
  const fields = `S 7 9 9 0 -1 ${"0 ".repeat(13)}4242 0 0`;
  assert.deepEqual(parseStat(5, `5 (a) b (c)) ${fields}`), {
    pid: 5,
    parent: 7,
    group: 9,
    zombie: false,
    startTime: "4242",
  });
});
