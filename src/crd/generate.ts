// SPDX-License-Identifier: Apache-2.0
/**
 * Writes what is made of definitions and tables: the chart's crds/, docs/crds.md, docs/annotations.md and docs/reference/. With --verify it says which files are not what would be
 * written, with exit status 1.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { renderFlags } from "../cli/reference.ts";
import { renderAnnotations } from "../model/annotations/reference.ts";
import { renderMetrics } from "../report/reference.ts";
import { CUSTOM_KINDS, DEFINITIONS, describeDefinition } from "./definitions.ts";
import { renderReference } from "./reference.ts";

const ROOT = join(import.meta.dirname, "../..");
const CRDS = "charts/evener/crds";
const HEAD = "# SPDX-License-Identifier: Apache-2.0\n# Generated from src/crd by make generate.\n";

/** Text by path from the top of the repository. */
export function listGenerated(): ReadonlyMap<string, string> {
  const crds = CUSTOM_KINDS.map((kind): [string, string] => {
    const object = describeDefinition(DEFINITIONS[kind]);
    return [
      `${CRDS}/${object.metadata.name}.yaml`,
      HEAD + stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }),
    ];
  });
  return new Map([
    ...crds,
    ["docs/crds.md", renderReference()],
    ["docs/annotations.md", renderAnnotations()],
    ["docs/reference/flags.md", renderFlags()],
    ["docs/reference/metrics.md", renderMetrics()],
  ]);
}

/** Files that differ, are missing, or that nothing makes any more. */
export async function listDrift(): Promise<readonly string[]> {
  const generated = listGenerated();
  const stale: string[] = [];
  for (const [path, text] of generated) {
    if ((await readFile(join(ROOT, path), "utf8").catch(() => "")) !== text) stale.push(path);
  }
  const left = (await readdir(join(ROOT, CRDS)))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `${CRDS}/${name}`);
  return [...stale, ...left.filter((path) => !generated.has(path))];
}

if (import.meta.main) {
  if (process.argv.includes("--verify")) {
    const stale = await listDrift();
    for (const path of stale)
      process.stderr.write(`check: ${path} is not what the sources say; run make generate\n`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const [path, text] of listGenerated()) await writeFile(join(ROOT, path), text);
  }
}
