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

/** Seconds. */
export interface CpuTime {
  readonly total: number;
  /** What the kernel takes for the division of it, in whole ticks of each process. */
  readonly user: number;
  readonly system: number;
}

/** The run time to the nanosecond, of the one thread that a process has (sched-stats in the kernel's documentation); if there is such a file. */
function readRunTime(pid: number): number | undefined {
  const [nanoseconds = ""] = readOr(`/proc/${pid}/schedstat`, "").split(" ");
  return nanoseconds === "" ? undefined : Number(nanoseconds) / 1e9;
}

/**
 * What one process has used, and its children that have ended and been waited for: fields 14 to 17, behind the name's closing parenthesis.
 * Ticks are rounded down: a hundred processes that live for a tick each would seem to cost nothing.
 */
function readCpuTime(pid: number): CpuTime {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (i: number) => Number(fields[i] ?? 0) / TICKS_PER_SECOND;
  const [user, system, childUser, childSystem, threads] = [
    seconds(11),
    seconds(12),
    seconds(13),
    seconds(14),
    fields[17],
  ];
  const own = (threads === "1" ? readRunTime(pid) : undefined) ?? user + system;
  return { total: own + childUser + childSystem, user: user + childUser, system: system + childSystem };
}

/** What these processes and their descendants have used so far. */
export function cpuTime(pids: readonly number[]): CpuTime {
  const times = listTree(pids).map(readCpuTime);
  const sum = (key: keyof CpuTime) => times.reduce((seconds, one) => seconds + one[key], 0);
  return { total: sum("total"), user: sum("user"), system: sum("system") };
}

export function cpuSeconds(pids: readonly number[]): number {
  return cpuTime(pids).total;
}

/** Proportional set size of these processes and their descendants, in bytes: shared pages are divided among who shares them. */
export function memoryBytes(pids: readonly number[]): number {
  const read = (pid: number) =>
    Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${pid}/smaps_rollup`, ""))?.[1] ?? 0) * 1024;
  return listTree(pids).reduce((sum, pid) => sum + read(pid), 0);
}
