// SPDX-License-Identifier: Apache-2.0
/**
 * Writes the generated files of the chart, or with --verify says which are not what would be written, with exit status 1.
 * Sources: the comments of values.yaml, schema.ts, dashboard.ts and the program's flags.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderDashboard } from "./dashboard.ts";
import { listFlags } from "./flags.ts";
import { CHART_DIR } from "./helm.ts";
import { renderReadme } from "./readme.ts";
import { describe, VALUES_SCHEMA } from "./schema.ts";
import { readValueDocs } from "./values-doc.ts";

export async function generate(): Promise<Record<string, string>> {
  const groups = readValueDocs(await readFile(join(CHART_DIR, "values.yaml"), "utf8"));
  const texts = new Map(
    groups.flatMap(({ values }) => values.map(({ path, text }) => [path.join("."), text])),
  );
  const flags = listFlags();
  return {
    "README.md": renderReadme(groups, flags),
    "values.schema.json": toJson(describe(VALUES_SCHEMA, (path) => texts.get(path))),
    "files/flags.json": toJson(flags),
    "files/dashboard.json": renderDashboard(),
  };
}

export async function listDrift(): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of Object.entries(await generate())) {
    if ((await readFile(join(CHART_DIR, name), "utf8").catch(() => "")) !== text) stale.push(name);
  }
  return stale;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

if (import.meta.main) {
  if (process.argv.includes("--verify")) {
    const stale = await listDrift();
    for (const name of stale) {
      process.stderr.write(`charts/evener/${name} is not what its source says; run make chart-generate\n`);
    }
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const [name, text] of Object.entries(await generate())) await writeFile(join(CHART_DIR, name), text);
  }
}
