// SPDX-License-Identifier: Apache-2.0
/** Finds and reads manifest files, the same way for `evener render` and the directory source. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { compareText, fileRef } from "../model/refs.ts";
import type { Problem } from "../model/types.ts";
import { MAX_FILE_BYTES } from "./parse-manifests.ts";

export interface ManifestFile {
  /** As it stands in problems: relative to the directory that was given. */
  readonly name: string;
  readonly text: string;
}

export interface ManifestFiles {
  readonly files: readonly ManifestFile[];
  readonly problems: readonly Problem[];
}

export function isManifestName(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name) && !name.split(sep).some((part) => part.startsWith("."));
}

/** Reads a file, or every manifest below a directory. Throws only when `path` itself can't be read. */
export async function readManifestFiles(path: string): Promise<ManifestFiles> {
  if ((await stat(path)).isFile()) return readAll([{ path, name: path }]);
  const entries = await readdir(path, { recursive: true });
  const names = entries.filter(isManifestName).sort(compareText);
  return readAll(names.map((name) => ({ path: join(path, name), name: relative(path, join(path, name)) })));
}

async function readAll(found: readonly { path: string; name: string }[]): Promise<ManifestFiles> {
  const files: ManifestFile[] = [];
  const problems: Problem[] = [];
  for (const { path, name } of found) {
    try {
      const info = await stat(path);
      if (!info.isFile()) continue;
      if (info.size > MAX_FILE_BYTES) {
        const message = `${name} is larger than ${MAX_FILE_BYTES} bytes and was not read`;
        problems.push({ ref: fileRef(name), severity: "error", reason: "FileTooLarge", message });
        continue;
      }
      files.push({ name, text: await readFile(path, "utf8") });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `${name} can't be read: ${why}`;
      problems.push({ ref: fileRef(name), severity: "error", reason: "UnreadableFile", message });
    }
  }
  return { files, problems };
}
