// SPDX-License-Identifier: Apache-2.0
/** One controller per run directory. */
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readProcess } from "./process-table.ts";

export class RunDirBusyError extends Error {
  readonly code = "RUN_DIR_BUSY";
}

/**
 * Takes `runDir/evener.pid`. A file left by a process that is gone is taken over: the pid alone would not do, since a
 * container's first process has the same one at every start.
 */
export async function lockRunDir(runDir: string): Promise<() => Promise<void>> {
  const path = join(runDir, "evener.pid");
  const self = await readProcess(process.pid);
  const content = `${process.pid} ${self?.startTime ?? "?"}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, content, { flag: "wx", mode: 0o644 });
      return () => releaseLock(path, content);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const [pid, startTime] = (await readFile(path, "utf8").catch(() => "")).trim().split(" ");
    const holder = await readProcess(Number(pid));
    if (holder !== undefined && !holder.zombie && holder.startTime === startTime) {
      throw new RunDirBusyError(`${runDir} is in use by process ${pid} (${path})`);
    }
    await unlink(path).catch(() => undefined);
  }
  throw new RunDirBusyError(`${path} can't be taken`);
}

async function releaseLock(path: string, content: string): Promise<void> {
  const current = await readFile(path, "utf8").catch(() => "");
  if (current === content) await unlink(path);
}
