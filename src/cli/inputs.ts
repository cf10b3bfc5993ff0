// SPDX-License-Identifier: Apache-2.0
/** Manifests named on the command line. */
import { text as readText } from "node:stream/consumers";
import { type ParsedManifests, parseManifests } from "../store/parse-manifests.ts";
import { readManifestFiles } from "../store/read-files.ts";
import { SettingsError } from "./flags.ts";

/** A file, every manifest below a directory, or `-` for standard input. */
export async function readInputs(inputs: readonly string[]): Promise<readonly ParsedManifests[]> {
  const files: ParsedManifests[] = [];
  for (const input of inputs) files.push(...(await readInput(input)));
  return files;
}

async function readInput(input: string): Promise<readonly ParsedManifests[]> {
  if (input === "-") return [parseManifests(await readText(process.stdin), "stdin")];
  try {
    const { files, problems } = await readManifestFiles(input);
    return [
      { objects: [], problems, notes: [] },
      ...files.map(({ text, name }) => parseManifests(text, name)),
    ];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`${input} can't be read: ${why}`, { cause: error });
  }
}
