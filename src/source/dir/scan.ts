// SPDX-License-Identifier: Apache-2.0
/** Reads what has changed below a directory since the last look. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { compareText, fileRef } from "../../model/refs.ts";
import { MAX_FILE_BYTES, type ParsedManifests, parseManifests } from "../../store/parse-manifests.ts";
import { isManifestName } from "../../store/read-files.ts";
import { keepLastGood } from "./keep-last-good.ts";

export interface ScannedFile {
  /** Changes whenever the file does: device, inode, size, times. */
  readonly stamp: string;
  readonly parsed: ParsedManifests;
}

export type Scan = ReadonlyMap<string, ScannedFile>;

/** Looks at `root` (a directory, or one file). Throws when `root` can't be read: then nothing is known. */
export async function scanManifests(root: string, before: Scan): Promise<Scan> {
  const scan = new Map<string, ScannedFile>();
  for (const { name, path } of await listFiles(root)) {
    const file = await readOne(name, path, before.get(name));
    if (file !== undefined) scan.set(name, file);
  }
  return scan;
}

/** Equal scans hold the same parsed files, not just equal ones. */
export function isSameScan(a: Scan, b: Scan): boolean {
  return a.size === b.size && [...a].every(([name, file]) => b.get(name)?.parsed === file.parsed);
}

async function listFiles(root: string): Promise<{ name: string; path: string }[]> {
  if ((await stat(root)).isFile()) return [{ name: basename(root), path: root }];
  const names = await readdir(root, { recursive: true });
  return names
    .filter(isManifestName)
    .sort(compareText)
    .map((name) => ({ name, path: join(root, name) }));
}

async function readOne(
  name: string,
  path: string,
  before: ScannedFile | undefined,
): Promise<ScannedFile | undefined> {
  try {
    const info = await stat(path, { bigint: true });
    if (!info.isFile()) return undefined;
    const stamp = [info.dev, info.ino, info.size, info.mtimeNs, info.ctimeNs].join(" ");
    if (before?.stamp === stamp) return before;
    if (info.size > BigInt(MAX_FILE_BYTES)) {
      return keepLastGood(
        stamp,
        refuse(name, "FileTooLarge", `is larger than ${MAX_FILE_BYTES} bytes`),
        before,
      );
    }
    return keepLastGood(stamp, parseManifests(await readFile(path, "utf8"), name), before);
  } catch (error) {
    // Deleted between the two looks: the same as deleted before them.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const why = error instanceof Error ? error.message : String(error);
    return keepLastGood("unreadable", refuse(name, "UnreadableFile", `can't be read: ${why}`), before);
  }
}

function refuse(name: string, reason: string, what: string): ParsedManifests {
  return {
    objects: [],
    problems: [{ ref: fileRef(name), severity: "error", reason, message: `${name} ${what}` }],
    notes: [],
  };
}
