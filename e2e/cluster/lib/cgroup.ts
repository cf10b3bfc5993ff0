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
    const entries = await readdir(ROOT, { withFileTypes: true });
    const unified = entries.some(({ name }) => name === "cgroup.controllers");
    // Names like "cpu,cpuacct" are links to one hierarchy or directories of their own; "unified" takes no controllers here.
    const names = unified ? [""] : entries.filter((e) => e.isDirectory()).map(({ name }) => name);
    const dirs = names.filter((name) => name !== "unified").map((name) => join(ROOT, name, path));
    for (const dir of dirs) mkdirSync(dir, { recursive: true });
    return new Cgroup(path, dirs);
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
