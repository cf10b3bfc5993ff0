// SPDX-License-Identifier: Apache-2.0
/** Programs run under a tool that counts: valgrind's callgrind counts instructions, strace system calls. Of the whole process tree. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Counted {
  /** Ends the program and reads the count. */
  finish(): Promise<number>;
}

export type Counter = (dir: string, name: string, argv: readonly string[]) => Counted;

function start(argv: readonly string[]): ChildProcess {
  const [program = "", ...args] = argv;
  return spawn(program, args, { stdio: ["ignore", "ignore", "ignore"] });
}

/** The program itself is told: valgrind is the program's own process, strace its parent, and deaf to signals while it writes to a file. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, "exit");
  const traced = child.spawnfile === "strace" ? readChildren(child.pid) : [child.pid];
  for (const pid of traced) process.kill(pid, "SIGTERM");
  await exit;
}

function readChildren(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

export const countInstructions: Counter = (dir, name, argv) => {
  const tool = ["valgrind", "--quiet", "--tool=callgrind", `--callgrind-out-file=${join(dir, name)}.%p`];
  const child = start([...tool, ...argv]);
  return {
    async finish() {
      await stop(child);
      // Each process of the tree writes a file of its own.
      const files = readdirSync(dir).filter((file) => file.startsWith(`${name}.`));
      return files
        .map((file) => Number(/^(?:totals|summary): (\d+)/m.exec(readFileSync(join(dir, file), "utf8"))?.[1]))
        .reduce((sum, n) => sum + n, 0);
    },
  };
};

export const countSystemCalls: Counter = (dir, name, argv) => {
  const out = join(dir, name);
  const child = start(["strace", "-f", "-c", "-S", "name", "-o", out, ...argv]);
  return {
    async finish() {
      await stop(child);
      // The last line: percent, seconds, microseconds per call, calls, perhaps errors, "total".
      const total = readFileSync(out, "utf8").trimEnd().split("\n").at(-1)?.trim().split(/\s+/) ?? [];
      return Number(total[3]);
    },
  };
};
