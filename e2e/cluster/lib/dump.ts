// SPDX-License-Identifier: Apache-2.0
/** Evidence: copies of all logs below dist/, and the last lines of the pods' on stderr. */
import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./assets.ts";

const LINES = 12;

export async function dumpLogs(work: string): Promise<void> {
  const out = join(ROOT, "dist/e2e-cluster");
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  for (const name of await readdir(work)) {
    if (name.endsWith(".log")) await cp(join(work, name), join(out, name));
  }
  const pods = join(work, "pods");
  await cp(pods, join(out, "pods"), { recursive: true });
  for (const entry of await readdir(pods, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      await show(join(entry.parentPath, entry.name), join(entry.parentPath.slice(pods.length), entry.name));
  }
  console.error(`all logs: ${out}`);
}

async function show(path: string, title: string): Promise<void> {
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  console.error(`--- ${title}\n${lines.slice(-LINES).join("\n")}`);
}
