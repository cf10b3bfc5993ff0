// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listProcesses, readArguments } from "../src/supervise/process-table.ts";
import { eventually } from "../test/fixtures/eventually.ts";

const ROOT = join(import.meta.dirname, "..");
const skip = existsSync(join(ROOT, "dist/lib/evener.mjs")) ? false : "dist is not built";

function startDemo(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [join(ROOT, "examples/demo.ts"), ...args]);
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  t.after(() => child.kill("SIGTERM"));
  return { child, output: () => output };
}

async function assertNothingLeft(output: string): Promise<void> {
  const dir = /(\S+)\/manifests/.exec(output)?.[1] ?? "";
  assert.match(dir, /evener-demo-/);
  assert.equal(existsSync(dir), false, `${dir} is left`);
  for (const { pid, zombie } of await listProcesses()) {
    const args = zombie ? [] : await readArguments(pid);
    assert.ok(!args.some((arg) => arg.includes(dir)), `process ${pid} is left: ${args.join(" ")}`);
  }
}

test("the demo's tour shows what it promises, ends well, and leaves nothing behind", { skip }, async (t) => {
  const { child, output } = startDemo(t, ["--once"]);
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0, output());
  assert.match(output(), /https:\/\/a\.example:\d+\/\n {2}echo-a answers a\.example/);
  assert.match(output(), /https:\/\/b\.example:\d+\/\n {2}echo-b answers b\.example/);
  const [, before, after] = /serial before {2}(\w+)\n {2}serial after {3}(\w+) /.exec(output()) ?? [];
  assert.ok(before !== undefined && after !== undefined && before !== after, output());
  assert.match(output(), /the connection opened before it: echo-a answers a\.example\/still-here/);
  assert.match(output(), /before {2}echo-a answers .*\n {2}after {3}echo-a \(new pod\) answers/);
  assert.match(output(), /reloads of Hitch for it: 0/);
  await assertNothingLeft(output());
});

test("Ctrl-C ends the demo in good order", { skip }, async (t) => {
  const { child, output } = startDemo(t, []);
  await eventually("the end of the tour", () => output().includes("Ctrl-C ends it."), 60_000);
  child.kill("SIGINT");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0, output());
  await assertNothingLeft(output());
});
