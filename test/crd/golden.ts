// SPDX-License-Identifier: Apache-2.0
/** A golden file of refusals: case by case, line by line. Written with EVENER_GOLDEN=write. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Refusals = ReadonlyMap<string, readonly string[]>;

export function compareRefusals(file: "local.txt" | "server.txt", refusals: Refusals): void {
  const path = join(import.meta.dirname, file);
  const text = [...refusals]
    .map(([name, lines]) => `${name}\n${lines.map((line) => `  ${line}\n`).join("")}`)
    .join("");
  if (process.env.EVENER_GOLDEN === "write") writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"), `${file} (EVENER_GOLDEN=write writes it anew)`);
}
