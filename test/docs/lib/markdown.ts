// SPDX-License-Identifier: Apache-2.0
/** As much of Markdown as the tests of the documents need: fences, headings, links. */

export interface Fence {
  /** The first word after the backticks. */
  readonly language: string;
  /** The other words; `key=value` or alone. */
  readonly words: readonly string[];
  readonly text: string;
  /** Of the opening backticks, from 1. */
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

/** Fences may be indented (in lists); the indentation is taken off their lines. */
export function listFences(markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { indent: number; ticks: number; info: string; lines: string[]; line: number } | undefined;
  for (const [i, line] of markdown.split("\n").entries()) {
    const [, indent = "", ticks = "", info = ""] = /^( *)(`{3,})([^`]*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (ticks !== "")
        open = { indent: indent.length, ticks: ticks.length, info: info.trim(), lines: [], line: i + 1 };
    } else if (ticks.length >= open.ticks && info.trim() === "") {
      const [language = "", ...words] = open.info.split(/\s+/);
      fences.push({ language, words, text: open.lines.map((one) => `${one}\n`).join(""), line: open.line });
      open = undefined;
    } else {
      const { indent: taken } = open;
      open.lines.push(line.startsWith(" ".repeat(taken)) ? line.slice(taken) : line.trimStart());
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: the fence is not closed`);
  return fences;
}

/** The text without what is in fences; lines keep their numbers. */
function blankFences(markdown: string): string {
  let inside = false;
  return markdown
    .split("\n")
    .map((line) => {
      if (/^ *`{3,}/.test(line)) {
        inside = !inside;
        return "";
      }
      return inside ? "" : line;
    })
    .join("\n");
}

export function listLinks(markdown: string): readonly Link[] {
  return blankFences(markdown)
    .split("\n")
    .flatMap((line, i) => {
      const text = line.replaceAll(/`[^`]*`/g, (code) => "x".repeat(code.length));
      return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ target, line: i + 1 }));
    });
}

/** Anchors as GitHub makes them of headings; the second of the same name ends in `-1`. */
export function listAnchors(markdown: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const line of blankFences(markdown).split("\n")) {
    const [, title] = /^#{1,6} +(.*?)(?: +#+)?$/.exec(line) ?? [];
    if (title === undefined) continue;
    const name = title
      .replaceAll(/\]\([^)]*\)/g, "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    anchors.add(nth === 0 ? name : `${name}-${nth}`);
  }
  return anchors;
}
