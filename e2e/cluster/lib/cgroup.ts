// SPDX-License-Identifier: Apache-2.0
/** The group below which kubelet makes those of the pods, in every hierarchy. */

import { mkdirSync, readdirSync } from "node:fs";
import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = "/sys/fs/cgroup";
const TRIES = 50;

export class Cgroup {
  readonly path: string;
  readonly #dirs: readonly string[];

  private constructor(path: string, dirs: readonly string[]) {
    this.path = path;
    this.#dirs = dirs;
  }

  static async create(path: string): Promise<Cgroup> {
    const dirs = (await listHierarchies()).map((dir) => join(dir, path));
    for (const dir of dirs) mkdirSync(dir, { recursive: true });
    return new Cgroup(path, dirs);
  }

  /** The names of groups that are there, at the top. */
  static async list(prefix: string): Promise<string[]> {
    const names = await Promise.all((await listHierarchies()).map((dir) => readdir(dir)));
    return [...new Set(names.flat())].filter((name) => name.startsWith(prefix));
  }

  /** What can't be removed. */
  async remove(): Promise<string[]> {
    const left: string[] = [];
    for (const dir of this.#dirs) {
      for (let i = 0; ; i++) {
        try {
          await removeTree(dir);
          break;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "ENOENT") break;
          // Processes that were killed a moment ago still count.
          if (i === TRIES) {
            left.push(
              `${dir}: ${String(error)}: ${await readFile(join(dir, "cgroup.procs"), "utf8").catch(() => "")}`,
            );
            break;
          }
          await sleep(100);
        }
      }
    }
    return left;
  }
}

async function removeTree(dir: string): Promise<void> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  }
  await rmdir(dir);
}

async function listHierarchies(): Promise<string[]> {
  const entries = await readdir(ROOT, { withFileTypes: true });
  if (entries.some(({ name }) => name === "cgroup.controllers")) return [ROOT];
  // Names like "cpu,cpuacct" are links to one of the others. "unified" has no controllers, but runc makes groups there, too.
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.map((name) => join(ROOT, name));
}
