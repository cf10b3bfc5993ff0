// SPDX-License-Identifier: Apache-2.0
/**
 * Run by root, Hitch and Balance are nobody, who may not come through every directory: a home directory of root's, where
 * a clone of Evener may lie, is closed. Their programs are then run from a copy in the run directory, and a run directory
 * that they can't reach is refused with a sentence.
 */
import { spawn } from "node:child_process";
import { chmod, chown, copyFile, mkdir, rm, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Owner } from "../apply/file-system.ts";

/** Two names of one file. */
const PROGRAMS = ["hitch", "balance"] as const;
const COPY = "bin";

export class ChildAccessError extends Error {
  readonly code = "CHILD_ACCESS";
}

/** Where the children's programs are to be started from: `binDir`, or a copy of them where they can't get there. */
export async function findReachableBinDir(
  binDir: string,
  runDir: string,
  owner: Owner | undefined,
): Promise<{ readonly binDir: string; readonly closed?: string }> {
  if (owner === undefined) return { binDir };
  const copy = join(runDir, COPY);
  const [program] = PROGRAMS;
  // Whoever could write to the run directory may have put something there: it is made anew, or not used.
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy, { mode: 0o700 });
  await chown(copy, 0, owner.gid);
  await chmod(copy, 0o750);
  const reachable = await canStart(join(binDir, program), owner);
  if (reachable) await symlink(join(binDir, program), join(copy, program));
  else await copyPrograms(binDir, copy);
  // Through the run directory or from it, so that it is proven to be open as well.
  if (!(await canStart(join(copy, program), owner))) {
    const closed = await findClosedDirectory(runDir, owner);
    const why =
      closed === undefined
        ? "no program can be started from there"
        : `${closed} lets only its owner in; choose another one, or \`chmod o+x ${closed}\``;
    throw new ChildAccessError(
      `--run-dir ${runDir}: Hitch and Balance, which are user ${owner.uid} when Evener is run by root, can't use it: ${why}`,
    );
  }
  if (!reachable) return { binDir: copy, closed: (await findClosedDirectory(binDir, owner)) ?? binDir };
  await removeCopy(runDir);
  return { binDir };
}

export async function removeCopy(runDir: string): Promise<void> {
  await rm(join(runDir, COPY), { recursive: true, force: true });
}

async function copyPrograms(binDir: string, copy: string): Promise<void> {
  for (const name of PROGRAMS) {
    await copyFile(join(binDir, name), join(copy, name));
    await chmod(join(copy, name), 0o555);
  }
}

/**
 * Asks the kernel, which alone knows all of modes, access lists and what security modules say. Taking on that user's
 * identity here instead would change more of this process than it seems (prctl(2), PR_SET_PDEATHSIG and PR_SET_DUMPABLE).
 */
function canStart(file: string, { uid, gid }: Owner): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, ["--version"], { uid, gid, env: {}, stdio: "ignore" });
    child.once("spawn", () => child.kill("SIGKILL"));
    child.once("exit", () => resolve(true));
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPERM") {
        const said = `run by root, Evener has to start Hitch and Balance as user ${uid}, and may not: run it as another user`;
        reject(new ChildAccessError(said, { cause: error }));
      }
      // A program that is not there, or is none, is reported by whoever starts it.
      else resolve(error.code !== "EACCES");
    });
  });
}

/** For people: the outermost directory on the way to `dir` whose mode keeps `owner` out. */
async function findClosedDirectory(dir: string, owner: Owner): Promise<string | undefined> {
  const way: string[] = [];
  for (let at = dir; ; at = dirname(at)) {
    way.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const at of way) {
    const { mode, uid, gid } = await stat(at);
    const bit = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return at;
  }
  return undefined;
}
