// SPDX-License-Identifier: Apache-2.0
/** The machine's processes, the node's and the pods' among them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

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
  /** What the kernel counts for it, file pages that nobody needs right now left out: what a limit would apply to. */
  readonly workingSetKiB: number;
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
    .map(([id, processes]) => ({ id, processes, workingSetKiB: readWorkingSet(processes[0]?.cgroup ?? "") }))
    .filter(({ processes }) => processes.some(({ args }) => !args.startsWith("/pause")));
}

/** As kubelet reckons it. */
function readWorkingSet(cgroup: string): number {
  const v1 = `/sys/fs/cgroup/memory${cgroup}`;
  const [dir, used, inactive] = existsSync(v1)
    ? [v1, "memory.usage_in_bytes", "total_inactive_file"]
    : [`/sys/fs/cgroup${cgroup}`, "memory.current", "inactive_file"];
  try {
    const total = Number(readFileSync(`${dir}/${used}`, "utf8"));
    const stat = readFileSync(`${dir}/memory.stat`, "utf8");
    return (total - Number(new RegExp(`^${inactive} (\\d+)`, "m").exec(stat)?.[1] ?? 0)) / 1024;
  } catch {
    return 0; // The container ended meanwhile.
  }
}
