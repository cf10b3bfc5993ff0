// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Owner } from "../apply/file-system.ts";

/** nobody:nogroup, on every distribution. */
const NOBODY: Owner = { uid: 65534, gid: 65534 };

/** Hitch refuses to serve as root, and neither child has any need to: a controller run as root gives its children away. */
export function findChildOwner(): Owner | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** The run directory holds keys: it is its owner's alone. */
export async function prepareRunDir(runDir: string): Promise<void> {
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  await chmod(runDir, 0o700);
  const owner = findChildOwner();
  if (owner !== undefined) await chown(runDir, owner.uid, owner.gid);
}

/** dist/bin, seen from the bundle (dist/lib) and from the source (src/cli). */
export function findBinDir(): string {
  const here = import.meta.dirname;
  const candidates = [join(here, "../bin"), join(here, "../../dist/bin")];
  return candidates.find((dir) => existsSync(join(dir, "hitch"))) ?? join(here, "../../dist/bin");
}
