// SPDX-License-Identifier: Apache-2.0

export interface TextDocument {
  readonly text: string;
  /** Line of the file on which the text begins, from 1. */
  readonly line: number;
}

/**
 * Cuts a YAML stream at its document markers before it is parsed, so that an unclosed quote or bracket
 * spoils one document only. A line that begins with `---` is a marker wherever it stands (YAML 1.2 §9.1.2).
 */
export function splitDocuments(text: string): readonly TextDocument[] {
  const documents: TextDocument[] = [];
  const lines = text.split("\n");
  let start = 0;
  for (let i = 0; i <= lines.length; i++) {
    const line = lines[i];
    if (line !== undefined && !/^---(?:\s|$)/.test(line)) continue;
    if (i > start) {
      const part = lines.slice(start, i);
      if (part.some(hasContent)) documents.push({ text: `${part.join("\n")}\n`, line: start + 1 });
    }
    start = i;
  }
  return documents;
}

/** Comments, directives (`%YAML 1.2`) and bare markers make no document. */
function hasContent(line: string): boolean {
  return !/^(?:\s*(?:#.*)?|%.*|---\s*(?:#.*)?|\.\.\.\s*)$/.test(line);
}
