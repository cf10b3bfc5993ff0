// SPDX-License-Identifier: Apache-2.0
/** Reads the documentation out of values.yaml: the comment above each key, and the groups that "##" lines begin. */
import { isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from "yaml";

export interface ValueDoc {
  readonly path: readonly string[];
  readonly text: string;
  /** The value in values.yaml; undefined for a map that is documented key by key. */
  readonly value: unknown;
}

export interface ValueGroup {
  readonly title: string;
  readonly values: readonly ValueDoc[];
}

/** Throws when a value has no comment, so that none goes undocumented. */
export function readValueDocs(yaml: string): ValueGroup[] {
  const lines = yaml.split("\n");
  const counter = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: counter });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  if (!isMap(document.contents)) throw new Error("values.yaml is no map");

  const groups: { title: string; values: ValueDoc[] }[] = [];
  const missing: string[] = [];

  const visit = (map: YAMLMap, parent: readonly string[]): void => {
    for (const pair of map.items) {
      const { key, offset } = readKey(pair);
      const line = counter.linePos(offset).line - 1;
      const { title, text } = readCommentAbove(lines, line);
      if (title !== undefined) groups.push({ title, values: [] });
      const path = [...parent, key];
      const value = pair.value;
      const isParent = isMap(value) && value.items.length > 0 && hasComments(value, lines, counter);
      if (isParent) {
        if (text !== "") groups.at(-1)?.values.push({ path, text, value: undefined });
        visit(value, path);
        continue;
      }
      if (text === "") missing.push(path.join("."));
      groups.at(-1)?.values.push({
        path,
        text,
        value: isMap(value) || isScalar(value) ? value.toJSON() : toPlain(value),
      });
    }
  };
  visit(document.contents, []);
  if (missing.length > 0) throw new Error(`values.yaml has no comment above: ${missing.join(", ")}`);
  return groups;
}

/** A map without comments inside is documented as one value. */
function hasComments(map: YAMLMap, lines: readonly string[], counter: LineCounter): boolean {
  return map.items.some((pair) => {
    const { offset } = readKey(pair);
    const line = counter.linePos(offset).line - 1;
    return (
      readCommentAbove(lines, line).text !== "" ||
      (isMap(pair.value) && hasComments(pair.value, lines, counter))
    );
  });
}

function readKey(pair: Pair): { key: string; offset: number } {
  if (!isScalar(pair.key) || pair.key.range == null) throw new Error("values.yaml has an odd key");
  return { key: String(pair.key.value), offset: pair.key.range[0] };
}

function readCommentAbove(lines: readonly string[], line: number): { title?: string; text: string } {
  const words: string[] = [];
  let at = line - 1;
  for (; at >= 0; at--) {
    const comment = /^\s*# (.*)$/.exec(lines[at] ?? "")?.[1];
    if (comment === undefined) break;
    words.unshift(comment.trim());
  }
  while (at >= 0 && lines[at]?.trim() === "") at--;
  const title = /^## (.*)$/.exec(lines[at] ?? "")?.[1];
  return { ...(title === undefined ? {} : { title }), text: words.join(" ") };
}

function toPlain(node: unknown): unknown {
  return node !== null && typeof node === "object" && "toJSON" in node && typeof node.toJSON === "function"
    ? node.toJSON()
    : node;
}
