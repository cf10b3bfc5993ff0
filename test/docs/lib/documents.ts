// SPDX-License-Identifier: Apache-2.0
/** Which documents there are, and what their fences may be. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Fence, listFences } from "./markdown.ts";

export const ROOT = join(import.meta.dirname, "../../..");

/**
 * What a fence with commands is executed with. `run`: test-docs, in a fresh directory. `cluster`: a cluster, hence checked here
 * and executed by `make e2e-cluster` or by people. `make`: a target of the Makefile, hence part of CI. `elsewhere`: programs or
 * registries that tests have no access to.
 */
export type Where = "run" | "cluster" | "make" | "elsewhere";
export const MARKS: readonly Where[] = ["cluster", "make", "elsewhere"];

/** Fences without commands; none of them may be without a language. */
export const PLAIN_LANGUAGES = [
  "text",
  "yaml",
  "json",
  "mermaid",
  "c",
  "ts",
  "diff",
  "output",
  "synopsis",
] as const;

export interface Document {
  readonly path: string;
  readonly text: string;
  readonly fences: readonly Fence[];
}

/** All that are committed or about to be. */
export function listDocuments(): readonly Document[] {
  const paths = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
    {
      cwd: ROOT,
      encoding: "utf8",
    },
  );
  return [...new Set(paths.split("\0"))]
    .filter((path) => path !== "" && existsSync(join(ROOT, path)))
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return { path, text, fences: listFences(text) };
    });
}

export function whereToRun({ words }: Fence): Where {
  return MARKS.find((mark) => words.includes(mark)) ?? "run";
}

/** The value of `key=value` after the language. */
export function findOption({ words }: Fence, key: string): string | undefined {
  return words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
}
