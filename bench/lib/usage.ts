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

export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** Ticks of one process, and of its children that have ended and been waited for: fields 14 to 17, behind the name's closing parenthesis. */
function readTicks(pid: number): CpuTime {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const sum = (...indices: number[]) => indices.reduce((total, i) => total + Number(fields[i] ?? 0), 0);
  return { user: sum(11, 13), system: sum(12, 14) };
}

/** Seconds of CPU that these processes and their descendants have used so far, in user space and in the kernel. */
export function cpuTime(pids: readonly number[]): CpuTime {
  const ticks = listTree(pids).map(readTicks);
  const seconds = (of: (one: CpuTime) => number) =>
    ticks.reduce((sum, one) => sum + of(one), 0) / TICKS_PER_SECOND;
  return { user: seconds(({ user }) => user), system: seconds(({ system }) => system) };
}

export function cpuSeconds(pids: readonly number[]): number {
  const { user, system } = cpuTime(pids);
  return user + system;
}

/** Proportional set size of these processes and their descendants, in bytes: shared pages are divided among who shares them. */
export function memoryBytes(pids: readonly number[]): number {
  const read = (pid: number) =>
    Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`, ""))?.[1] ?? 0) * 1024;
  return listTree(pids).reduce((sum, pid) => sum + read(pid), 0);
}
