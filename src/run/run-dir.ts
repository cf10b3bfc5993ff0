// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Owner } from "../apply/file-system.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../report/log.ts";
import { endStaleChildren } from "../supervise/stale.ts";

const CHILDREN = ["hitch", "balance"] as const;

/** nobody:nogroup, on every distribution. */
const NOBODY: Owner = { uid: 65534, gid: 65534 };

/** Hitch refuses to serve as root, and neither child has any need to: a controller run as root gives its children away. */
export function findChildOwner(): Owner | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/**
 * The run directory holds keys: it is its owner's alone. Run by root, the children may create their sockets in it, but
 * not touch what is not theirs (sticky), and they can't change the directory of keys: whatever they plant, root does not
 * stumble over it.
 */
export async function prepareRunDir(runDir: string): Promise<void> {
  const owner = findChildOwner();
  const certDir = join(runDir, "certs");
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  await setAccess(runDir, owner === undefined ? 0o700 : 0o1770, owner);
  await mkdir(certDir, { recursive: true, mode: 0o700 });
  await setAccess(certDir, owner === undefined ? 0o700 : 0o710, owner);
  // Hitch's own; nothing in it is believed without a check.
  const ocspDir = join(runDir, "ocsp");
  await mkdir(ocspDir, { recursive: true, mode: 0o700 });
  await setAccess(ocspDir, owner === undefined ? 0o700 : 0o770, owner);
}

async function setAccess(dir: string, mode: number, owner: Owner | undefined): Promise<void> {
  const found = await lstat(dir);
  if (!found.isDirectory()) throw new Error(`${dir} is not a directory`);
  // A volume's mount point is root's, and open to whom it was mounted for. Somebody else's directory is never used.
  if (owner === undefined && found.uid === 0) return;
  if (owner !== undefined) await chown(dir, 0, owner.gid);
  await chmod(dir, mode);
}

/** After a controller that was killed: its children, and the sockets they listened on. */
export async function clearRunDir(runDir: string, clock: Clock, log: Logger): Promise<void> {
  for (const child of CHILDREN) {
    const pids = await endStaleChildren(runDir, child, join(runDir, `${child}.conf`), clock);
    if (pids.length > 0) log.warn({ child, pids }, "ended children that an earlier controller left behind");
  }
  for (const name of await readdir(runDir)) {
    if (name.endsWith(".sock")) await unlink(join(runDir, name));
    if (/^balance-\d+\.args$/.test(name)) await clearUpstream(runDir, name, clock, log);
  }
}

/** The program's path is what tells its processes from others: it is their first argument. */
async function clearUpstream(runDir: string, argsFile: string, clock: Clock, log: Logger): Promise<void> {
  const child = argsFile.slice(0, -".args".length);
  const [program = ""] = (await readFile(join(runDir, argsFile), "utf8")).split(/\s/);
  const pids = program.startsWith("/") ? await endStaleChildren(runDir, child, program, clock) : [];
  if (pids.length > 0) log.warn({ child, pids }, "ended children that an earlier controller left behind");
  await unlink(join(runDir, argsFile));
}

/** Nobody needs the keys on the disk any more, nor the numbers of processes that are gone. */
export async function removeKeys(runDir: string): Promise<void> {
  await rm(join(runDir, "certs"), { recursive: true, force: true });
  for (const child of CHILDREN) await rm(join(runDir, `${child}.pid`), { force: true });
}

/** dist/bin, seen from the bundle (dist/lib) and from the source (src/cli). */
export function findBinDir(): string {
  const here = import.meta.dirname;
  const candidates = [join(here, "../bin"), join(here, "../../dist/bin")];
  return candidates.find((dir) => existsSync(join(dir, "hitch"))) ?? join(here, "../../dist/bin");
}
