// SPDX-License-Identifier: Apache-2.0
/**
 * Run by root, Hitch and Balance are nobody, who may not come through every directory: a home directory of root's, where
 * a clone of Evener may lie, is closed. Their programs are then run from a copy in the run directory, and a run directory
 * that they can't reach is refused with a sentence.
 */
import { statSync } from "node:fs";
import { chmod, chown, copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Owner } from "../apply/file-system.ts";

/** The one static ELF. */
const PROGRAMS = ["hitch", "balance"] as const;
const COPY = "bin";

export class ClosedDirectoryError extends Error {
  readonly code = "CLOSED_DIRECTORY";

  constructor(what: string, closed: string, { uid }: Owner) {
    super(
      `${what}: ${closed} lets nobody else in, and Hitch and Balance, which run as user ${uid} when Evener is run by root, ` +
        `have to come through it; choose a directory that they can reach, or \`chmod o+x ${closed}\``,
    );
  }
}

/** Where the children's programs are to be started from: `binDir`, or a copy of them where they can't get there. */
export async function findReachableBinDir(
  binDir: string,
  runDir: string,
  owner: Owner | undefined,
): Promise<{ readonly binDir: string; readonly closed?: string }> {
  if (owner === undefined) return { binDir };
  const closedRunDir = findClosedDirectory(runDir, owner);
  if (closedRunDir !== undefined) throw new ClosedDirectoryError(`--run-dir ${runDir}`, closedRunDir, owner);
  const copy = join(runDir, COPY);
  // Whoever could write to the run directory may have put something there: it is made anew, or not used.
  await rm(copy, { recursive: true, force: true });
  const closed = findClosedDirectory(binDir, owner);
  if (closed === undefined) return { binDir };
  await mkdir(copy, { mode: 0o700 });
  for (const name of PROGRAMS) {
    await copyFile(join(binDir, name), join(copy, name));
    await chmod(join(copy, name), 0o555);
  }
  await chown(copy, 0, owner.gid);
  await chmod(copy, 0o750);
  return { binDir: copy, closed };
}

export async function removeCopy(runDir: string): Promise<void> {
  await rm(join(runDir, COPY), { recursive: true, force: true });
}

/** The outermost directory on the way to `dir` that `owner` may not search; undefined when there is none. */
export function findClosedDirectory(dir: string, owner: Owner): string | undefined {
  const way: string[] = [];
  for (let at = dir; ; at = dirname(at)) {
    way.unshift(at);
    if (at === dirname(at)) break;
  }
  // The kernel is asked, as that user: only it knows all of modes, lists, and what security modules say.
  return actAs(owner, () => way.find((at) => !canSearch(at)));
}

/** Search permission is what a path through a directory takes: "." in it is one. */
function canSearch(dir: string): boolean {
  try {
    statSync(`${dir}/.`);
    return true;
  } catch (error) {
    // What is not there is another one's to report.
    return (error as NodeJS.ErrnoException).code !== "EACCES";
  }
}

/** Nothing else runs meanwhile: `work` is synchronous, and this is done before anything is started. */
function actAs<T>({ uid, gid }: Owner, work: () => T): T {
  const groups = process.getgroups?.() ?? [];
  const [euid, egid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  try {
    process.setgroups?.([]);
    process.setegid?.(gid);
    process.seteuid?.(uid);
  } catch (cause) {
    const message = `run by root, Evener has to start Hitch and Balance as user ${uid}, and may not; run it as another user`;
    throw new Error(message, { cause });
  }
  try {
    return work();
  } finally {
    process.seteuid?.(euid);
    process.setegid?.(egid);
    process.setgroups?.(groups);
  }
}
