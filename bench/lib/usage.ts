// SPDX-License-Identifier: Apache-2.0
/** What process trees have used, from /proc (proc(5)). */
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

/** These processes and their descendants. */
export function listTree(pids: readonly number[]): readonly number[] {
  const all: number[] = [];
  const todo = [...pids];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    all.push(pid);
    const children = readOr(`/proc/${pid}/task/${pid}/children`, "").split(" ").filter(Boolean);
    todo.push(...children.map(Number));
  }
  return all;
}

/** User and system time of one process, and of its children that have ended: fields 14 to 17, behind the name's closing parenthesis. */
function readTicks(pid: number): number {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i] ?? 0), 0);
}

/** Seconds of CPU that these processes and their descendants have used so far. */
export function cpuSeconds(pids: readonly number[]): number {
  return listTree(pids).reduce((sum, pid) => sum + readTicks(pid), 0) / TICKS_PER_SECOND;
}

/** Proportional set size of these processes and their descendants, in bytes: shared pages are divided among who shares them. */
export function memoryBytes(pids: readonly number[]): number {
  const read = (pid: number) =>
    Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`, ""))?.[1] ?? 0) * 1024;
  return listTree(pids).reduce((sum, pid) => sum + read(pid), 0);
}
