// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { listAnchors, listFences, listLinks } from "./lib/markdown.ts";

const TEXT = [
  "# A title: with `code` & more",
  "see [one](a.md#b), `[none](x.md)` and [two](#a-title-with-code--more)",
  "",
  "```sh cluster",
  "# no heading, [no](link)",
  "```",
  "* in a list",
  "",
  "  ```yaml file=a.yaml",
  "  a: 1",
  "    b",
  "  ```",
  "## Twice",
  "## Twice",
  "",
].join("\n");

test("fences have a language, words, text without the list's indentation, and a line", () => {
  assert.deepEqual(listFences(TEXT), [
    { language: "sh", words: ["cluster"], text: "# no heading, [no](link)\n", line: 4 },
    { language: "yaml", words: ["file=a.yaml"], text: "a: 1\n  b\n", line: 9 },
  ]);
  assert.throws(() => listFences("```sh\nnever closed\n"), /line 1/);
});

test("links are those outside of code", () => {
  assert.deepEqual(listLinks(TEXT), [
    { target: "a.md#b", line: 2 },
    { target: "#a-title-with-code--more", line: 2 },
  ]);
});

test("anchors are GitHub's", () => {
  assert.deepEqual([...listAnchors(TEXT)], ["a-title-with-code--more", "twice", "twice-1"]);
});
