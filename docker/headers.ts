// SPDX-License-Identifier: Apache-2.0
/** Every file says its licence at its top, or REUSE.toml says it; exit status 1 and a line for each that does not. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const LINE = /SPDX-License-Identifier: Apache-2\.0/;
/** A script's interpreter and a title may come first. */
const TOP_LINES = 4;

/** Patterns of REUSE.toml: `*` within a directory, `**` across. The file is kept in a form that needs no parser: one line each. */
export function readPatterns(toml: string): readonly string[] {
  return [...toml.matchAll(/^path = \[(.*)\]$/gm)].flatMap(([, list = ""]) =>
    [...list.matchAll(/"([^"]+)"/g)].map(([, pattern = ""]) => pattern),
  );
}

export function toExpression(pattern: string): RegExp {
  const text = pattern
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"),
    )
    .join("");
  return new RegExp(`^${text}$`);
}

export function hasHeader(text: string): boolean {
  return LINE.test(text.split("\n", TOP_LINES).join("\n"));
}

/** What is wrong, a line each. */
export function listFaults(
  files: readonly string[],
  read: (path: string) => string,
  toml: string,
): readonly string[] {
  const patterns = readPatterns(toml).map((pattern) => ({ pattern, expression: toExpression(pattern) }));
  const without = files.filter(
    (path) => !patterns.some(({ expression }) => expression.test(path)) && !hasHeader(read(path)),
  );
  const idle = patterns.filter(({ expression }) => !files.some((path) => expression.test(path)));
  return [
    ...without.map(
      (path) => `${path}: no line "SPDX-License-Identifier: Apache-2.0" at its top, nor in REUSE.toml`,
    ),
    ...idle.map(({ pattern }) => `REUSE.toml: "${pattern}" matches no file`),
  ];
}

if (import.meta.main) {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\0")
    .filter(
      (path) => path !== "" && existsSync(join(ROOT, path)) && !lstatSync(join(ROOT, path)).isSymbolicLink(),
    );
  const toml = readFileSync(join(ROOT, "REUSE.toml"), "utf8");
  const faults = listFaults(files, (path) => readFileSync(join(ROOT, path), "utf8"), toml);
  for (const fault of faults) process.stderr.write(`check: ${fault}\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
