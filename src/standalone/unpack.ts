// SPDX-License-Identifier: Apache-2.0
/** Where the single-file executable unpacks to, and how. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface EmbeddedFile {
  readonly path: string;
  readonly sha256: string;
  readonly executable: boolean;
}

const PREFIX = "evener-bin-";

/** In memory where the system lets programs run from there. The directory is gone with the process. */
export function chooseDirectory(
  candidates: readonly (string | undefined)[] = ["/dev/shm", process.env.XDG_RUNTIME_DIR, tmpdir()],
): string {
  for (const parent of candidates) {
    if (parent === undefined || !isWritable(parent)) continue;
    sweep(parent);
    const dir = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    if (canExecute(dir)) {
      process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
      // Run by root, the children are nobody, who has to get here.
      chmodSync(dir, process.getuid?.() === 0 ? 0o711 : 0o700);
      return dir;
    }
    rmSync(dir, { recursive: true });
  }
  throw new Error("no directory to unpack to that lets programs run; set TMPDIR to one that does");
}

/** Writes the files and reads them back: what runs is what was built. */
export function unpack(dir: string, files: readonly EmbeddedFile[], read: (path: string) => Buffer): void {
  for (const { path, sha256, executable } of files) {
    const target = join(dir, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, read(path), { flag: "wx", mode: executable ? 0o555 : 0o444 });
    const found = createHash("sha256").update(readFileSync(target)).digest("hex");
    if (found !== sha256) throw new Error(`${path} is not what was built: ${found}`);
  }
  symlinkSync("hitch", join(dir, "bin/balance"));
}

function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canExecute(dir: string): boolean {
  const file = join(dir, "try");
  writeFileSync(file, "#!/bin/sh\n", { mode: 0o700 });
  const { status } = spawnSync(file, { stdio: "ignore" });
  rmSync(file);
  return status === 0;
}

/** What a killed one left behind. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1] ?? 0);
    if (pid === 0 || isAlive(pid)) continue;
    const dir = join(parent, name);
    if (lstatSync(dir).uid === process.getuid?.()) rmSync(dir, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
