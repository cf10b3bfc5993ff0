// SPDX-License-Identifier: Apache-2.0
/** Files that are always whole, and configuration files that can go back to the last good text. */
import { dirname } from "node:path";
import type { FileSystem, Owner } from "./file-system.ts";

/** Temp file, fsync, rename, fsync of the directory: a reader (or a crash) sees the old text or the new one. */
export async function writeAtomically(
  fs: FileSystem,
  path: string,
  data: string,
  mode: number,
  owner?: Owner,
): Promise<void> {
  await replaceFile(fs, path, data, mode, owner);
  await fs.syncDir(dirname(path));
}

/** The same without the last fsync, for whoever writes many files into one directory and then calls `syncDir`. */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  data: string,
  mode: number,
  owner?: Owner,
): Promise<void> {
  const temp = `${path}.tmp`;
  try {
    await fs.write(temp, data, mode, owner);
    await fs.rename(temp, path);
  } catch (error) {
    // The part that was written may be what fills the disk. The first error is the one that counts.
    await fs.remove(temp).catch(() => undefined);
    throw error;
  }
}

/**
 * A configuration file and its last good text. The good text is kept by a second name (`.good`) rather than by a copy, so
 * that going back needs no space on a full disk.
 */
export class ConfigFile {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #owner: Owner | undefined;
  /** True while `path` holds a text that its program has accepted. */
  #good = false;

  constructor(fs: FileSystem, path: string, owner?: Owner) {
    this.path = path;
    this.#fs = fs;
    this.#owner = owner;
  }

  /** Where a text can be looked at by its program before it is installed. */
  get candidatePath(): string {
    return `${this.path}.next`;
  }

  async stage(text: string): Promise<void> {
    await writeAtomically(this.#fs, this.candidatePath, text, 0o600, this.#owner);
  }

  async dropCandidate(): Promise<void> {
    await this.#fs.remove(this.candidatePath).catch(() => undefined);
  }

  /** Removes what an earlier run may have left beside the file. */
  async clean(): Promise<void> {
    for (const suffix of [".next", ".next.tmp", ".good"]) await this.#fs.remove(`${this.path}${suffix}`);
  }

  /** Puts the staged text in place; the good one stays within reach. */
  async install(): Promise<void> {
    if (this.#good) {
      await this.#fs.remove(this.#goodPath);
      await this.#fs.link(this.path, this.#goodPath);
    }
    await this.#fs.rename(this.candidatePath, this.path);
    this.#good = false;
    await this.#fs.syncDir(dirname(this.path));
  }

  /** The installed text works: it is now the one to come back to. */
  async accept(): Promise<void> {
    this.#good = true;
    // Left over, it does no harm: the next install replaces it.
    await this.#fs.remove(this.#goodPath).catch(() => undefined);
  }

  /** Brings the last good text back. False when there never was one. */
  async restore(): Promise<boolean> {
    if (this.#good) return true;
    if ((await this.#fs.read(this.#goodPath)) === undefined) return false;
    await this.#fs.rename(this.#goodPath, this.path);
    this.#good = true;
    await this.#fs.syncDir(dirname(this.path));
    return true;
  }

  get #goodPath(): string {
    return `${this.path}.good`;
  }
}
