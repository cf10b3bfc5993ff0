// SPDX-License-Identifier: Apache-2.0
/** What every Runner promises. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Exit, ProcessSpec, Runner } from "../../src/supervise/runner.ts";
import { eventually } from "../fixtures/eventually.ts";

export type Program = "dies-at-once" | "ignores-sigterm" | "floods-stderr" | "forks" | "print-env";

export function specOf(program: Program, args: readonly string[] = []): ProcessSpec {
  const file = join(import.meta.dirname, "../fixtures", `${program}.sh`);
  return { file, args, env: { PATH: "/usr/bin:/bin", ONLY: "this" }, cwd: "/" };
}

export function testRunner(name: string, create: () => Runner): void {
  describe(`${name} keeps the runner's contract`, () => {
    const start = (spec: ProcessSpec) => {
      const lines: string[] = [];
      return { lines, child: create().spawn(spec, (line) => lines.push(line)) };
    };

    test("an exit comes with its code, the output with its lines", async () => {
      const { lines, child } = start(specOf("dies-at-once"));
      assert.deepEqual(await child.exited, { code: 3, signal: null } satisfies Exit);
      await eventually("the line", () => lines.length > 0);
      assert.deepEqual(lines, ["can't go on"]);
      assert.equal(child.signal("SIGTERM"), false);
    });

    test("what can't be started settles with an error instead of throwing", async () => {
      const { child } = start({ ...specOf("forks"), file: "/nowhere/nothing" });
      const exit = await child.exited;
      assert.match(exit.error?.message ?? "", /ENOENT/);
      assert.equal(child.pid, undefined);
      assert.equal(child.signalGroup("SIGKILL"), false);
    });

    test("nothing is inherited, and arguments are passed as they are", async () => {
      process.env.EVENER_TEST_TOKEN = "secret";
      const hostile = "a b; $(echo x) 'q' \"d\" *";
      const { lines, child } = start(specOf("print-env", [hostile]));
      delete process.env.EVENER_TEST_TOKEN;
      await child.exited;
      await eventually("the output", () => lines.includes(`arg ${hostile}`));
      assert.ok(lines.includes("ONLY=this"));
      // A shell adds PWD, SHLVL and _ itself.
      const names = lines.filter((line) => !line.startsWith("arg ")).map((line) => line.split("=")[0]);
      assert.deepEqual(names.filter((one) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(one ?? "")).sort(), [
        "ONLY",
        "PATH",
      ]);
    });

    test("SIGKILL ends what ignores SIGTERM", async () => {
      const { lines, child } = start(specOf("ignores-sigterm"));
      await eventually("ready", () => lines.includes("ready"));
      assert.equal(child.signal("SIGTERM"), true);
      const early = await Promise.race([
        child.exited,
        new Promise((resolve) => setTimeout(resolve, 300, "alive")),
      ]);
      assert.equal(early, "alive");
      assert.equal(child.signalGroup("SIGKILL"), true);
      assert.equal((await child.exited).signal, "SIGKILL");
    });

    test("an exit is told at once although a grandchild holds the output, which dies with the group", async () => {
      const { lines, child } = start(specOf("forks"));
      const line = await eventually("the grandchild", () =>
        lines.find((one) => one.startsWith("grandchild ")),
      );
      const grandchild = Number(line.split(" ")[1]);
      child.signal("SIGKILL");
      assert.equal((await child.exited).signal, "SIGKILL");
      assert.equal(isAlive(grandchild), true);
      child.signalGroup("SIGKILL");
      await eventually("the grandchild's end", () => !isAlive(grandchild));
    });

    test("floods are cut into bounded lines", async () => {
      const { lines, child } = start(specOf("floods-stderr"));
      assert.equal((await child.exited).code, 0);
      await eventually("the last line", () => lines.includes("line 1999"));
      assert.equal(lines.length, 2001);
      assert.ok(lines.every((line) => line.length <= 4097));
    });
  });
}

/** A zombie is as good as gone: whoever adopted it has only not looked yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
