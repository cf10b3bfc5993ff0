// SPDX-License-Identifier: Apache-2.0
/** CPU time of process trees, from /proc (proc(5)). */
import { readFileSync } from "node:fs";

/** Linux reports CPU time in ticks of 1/100 s to user space, whatever the kernel's own rate. */
const TICKS_PER_SECOND = 100;

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

function children(pid: number): number[] {
  return readOr(`/proc/${pid}/task/${pid}/children`, "")
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

/** User and system time of one process, in ticks; what stands behind the command's closing parenthesis. */
function ticks(pid: number): number {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** These processes and their living descendants. */
export function descendants(pids: readonly number[]): number[] {
  const all: number[] = [];
  const todo = [...pids];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    all.push(pid);
    todo.push(...children(pid));
  }
  return all;
}

/** Seconds of CPU that these processes and their living descendants have used so far. */
export function cpuSeconds(pids: readonly number[]): number {
  return descendants(pids).reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
}
