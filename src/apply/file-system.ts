// SPDX-License-Identifier: Apache-2.0
/** The few file operations that applying needs, so that tests can make each of them fail. */
import { constants } from "node:fs";
import { chmod, chown, link, mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface FileSystem {
  makeDir(path: string, mode: number, owner?: Owner): Promise<void>;
  list(dir: string): Promise<string[]>;
  /** Undefined when there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** Creates anew (whatever was there goes), writes, sets mode and owner, fsyncs. May leave a part when it fails. */
  write(path: string, data: string, mode: number, owner?: Owner): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  /** No error when there is no such file. */
  remove(path: string): Promise<void>;
  /** fsync(2) on the directory: makes a rename in it last. */
  syncDir(path: string): Promise<void>;
}

/** Run by root, the directory is one in which the children may create names: nothing they planted is followed. */
const CREATE_ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export const nodeFileSystem: FileSystem = {
  makeDir: async (path, mode, owner) => {
    await mkdir(path, { recursive: true, mode });
    await chmod(path, mode);
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  },
  list: (dir) => readdir(dir),
  read: async (path) => {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  write: async (path, data, mode, owner) => {
    await nodeFileSystem.remove(path);
    const file = await open(path, CREATE_ANEW, mode);
    try {
      // Before the first byte: a key is never readable by others, and umask has no say.
      await file.chmod(mode);
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename: (from, to) => rename(from, to),
  link: (from, to) => link(from, to),
  remove: async (path) => {
    try {
      await unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
  syncDir: async (path) => {
    const dir = await open(path, "r");
    try {
      await dir.sync();
    } finally {
      await dir.close();
    }
  },
};

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
