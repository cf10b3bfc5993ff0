// SPDX-License-Identifier: Apache-2.0
/** Children of a controller that was killed: they still hold the ports, and nobody looks after them. */
import { readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../apply/config-file.ts";
import { nodeFileSystem } from "../apply/file-system.ts";
import { type Clock, pause } from "../clock.ts";
import { signalPid } from "./execa-runner.ts";
import { listProcesses, readArguments, readProcess } from "./process-table.ts";

/** Records the process group of a child that has just been started. */
export async function recordChild(runDir: string, name: string, pid: number): Promise<void> {
  await writeAtomically(nodeFileSystem, join(runDir, `${name}.pid`), `${pid}\n`, 0o644);
}

/**
 * Ends what is left of the recorded group. A number alone proves nothing, so only processes whose arguments name the
 * child's own configuration file (`marker`) are touched. Returns the pids that were ended.
 */
export async function endStaleChildren(
  runDir: string,
  name: string,
  marker: string,
  clock: Clock,
): Promise<number[]> {
  const path = join(runDir, `${name}.pid`);
  const group = Number((await readFile(path, "utf8").catch(() => "")).trim());
  if (!Number.isInteger(group) || group <= 1) return [];
  const ended: number[] = [];
  for (const entry of await listProcesses()) {
    if (entry.group !== group || entry.zombie || entry.pid === process.pid) continue;
    const args = await readArguments(entry.pid);
    if (!args.some((arg) => arg === marker || arg.endsWith(`=${marker}`))) continue;
    if (signalPid(entry.pid, "SIGKILL")) ended.push(entry.pid);
  }
  for (let waited = 0; waited < 2000 && (await isAnyAlive(ended)); waited += 20) await pause(clock, 20);
  await unlink(path).catch(() => undefined);
  return ended;
}

/** A zombie holds no port; whoever has adopted it may take its time. */
async function isAnyAlive(pids: readonly number[]): Promise<boolean> {
  const entries = await Promise.all(pids.map((pid) => readProcess(pid)));
  return entries.some((entry) => entry !== undefined && !entry.zombie);
}
