// SPDX-License-Identifier: Apache-2.0
/** Targets of the Makefile and of what it includes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./documents.ts";

export function listMakeTargets(): ReadonlySet<string> {
  const main = readFileSync(join(ROOT, "Makefile"), "utf8");
  const included = [...main.matchAll(/^-?include (\S+)$/gm)].map(([, path = ""]) => path);
  const texts = [main, ...included.map((path) => readFileSync(join(ROOT, path), "utf8"))];
  return new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/^([a-z0-9 -]+):(?!=)/gm)].flatMap(([, names = ""]) => names.trim().split(/ +/)),
    ),
  );
}
