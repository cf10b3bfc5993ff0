// SPDX-License-Identifier: Apache-2.0
/** The machine's processes, the node's and the pods' among them. */
import { readdirSync, readFileSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
  readonly state: string;
  readonly rssKiB: number;
  /** Its group in the hierarchy of the memory controller. */
  readonly cgroup: string;
}

export function listProcesses(): Process[] {
  return readdirSync("/proc").flatMap((name) =>
    /^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : [],
  );
}

export function readProcess(pid: number): Process | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
    const cgroup = /^\d+:(?:[a-z,]*\bmemory\b[a-z,]*|):(.*)$/m.exec(groups)?.[1] ?? "";
    const parent = Number(field("PPid"));
    return { pid, parent, args, state: field("State"), rssKiB: Number(field("VmRSS")), cgroup };
  } catch {
    return undefined; // It ended meanwhile.
  }
}

/** The only child of a process that has one. */
export function findChild(parent: number): number | undefined {
  return listProcesses().find((process) => process.parent === parent)?.pid;
}

export interface PodContainer {
  readonly id: string;
  readonly processes: readonly Process[];
}

/** What runs in a pod, by container; the one that holds the namespaces is left out. */
export function listContainers(podUid: string): PodContainer[] {
  const found = new Map<string, Process[]>();
  for (const process of listProcesses()) {
    const id = new RegExp(`/pod${podUid}/([0-9a-f]+)`).exec(process.cgroup)?.[1];
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), process]);
  }
  return [...found]
    .map(([id, processes]) => ({ id, processes }))
    .filter(({ processes }) => processes.some(({ args }) => !args.startsWith("/pause")));
}
