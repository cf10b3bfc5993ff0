// SPDX-License-Identifier: Apache-2.0
/** Figures in a page of the documentation lie between two comments, of which the first says where they come from. */
import { readFileSync, writeFileSync } from "node:fs";

const END = "<!-- /figures -->";

/** `page` with `text` in the place for the figures of `command`. */
export function placeFigures(page: string, command: string, text: string): string {
  const begin = `<!-- figures: ${command} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`the page has no place for figures of ${command}`);
  return `${page.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${page.slice(to)}`;
}

export function writeFigures(path: string, command: string, text: string): void {
  writeFileSync(path, placeFigures(readFileSync(path, "utf8"), command, text));
}
