// SPDX-License-Identifier: Apache-2.0
/** Relative links lead to files that are committed, and their anchors to headings. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { listDocuments, ROOT } from "./lib/documents.ts";
import { listAnchors, listLinks } from "./lib/markdown.ts";

const documents = listDocuments();
const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
  maxBuffer: 1 << 26,
}).split("\0");
/** Files and all directories above them. */
const paths = new Set(["."]);
for (const file of files) for (let path = file; path !== "."; path = dirname(path)) paths.add(path);
const anchors = new Map(documents.map(({ path, text }) => [path, listAnchors(text)]));

for (const { path, text } of documents) {
  test(`links of ${path}`, () => {
    for (const { target, line } of listLinks(text)) {
      const where = `${path}:${line}: ${target}`;
      if (/^[a-z]+:/.test(target)) {
        assert.match(target, /^(https|mailto):/, `${where} is not https`);
        continue;
      }
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? path : normalize(join(dirname(path), file)).replace(/\/$/, "");
      assert.ok(paths.has(to), `${where}: there is no ${to}`);
      if (anchor !== undefined)
        assert.ok(anchors.get(to)?.has(anchor), `${where}: ${to} has no such heading`);
    }
  });
}

test("files that documents name are there", () => {
  const named = /`((?:\.github|bench|charts|docker|docs|e2e|examples|src|test|vendor)\/[\w./-]*)`/g;
  let count = 0;
  for (const { path, text } of documents) {
    for (const [, file = ""] of text.matchAll(named)) {
      count++;
      assert.ok(paths.has(file.replace(/\/$/, "")), `${path}: there is no ${file}`);
    }
  }
  assert.ok(count > 100, `${count} found`);
});

test("each document can be reached from the index", () => {
  const seen = new Set(["docs/README.md"]);
  for (const path of seen) {
    const text = documents.find((document) => document.path === path)?.text ?? "";
    for (const { target } of listLinks(text)) {
      const [file = ""] = target.split("#");
      if (file.endsWith(".md")) seen.add(normalize(join(dirname(path), file)));
      else if (!/^[a-z]+:/.test(file) && file.endsWith("/")) {
        const dir = normalize(join(dirname(path), file));
        for (const one of documents) if (dirname(one.path) === dir.replace(/\/$/, "")) seen.add(one.path);
      }
    }
  }
  const lost = documents
    .map(({ path }) => path)
    .filter((path) => path.startsWith("docs/") && !seen.has(path));
  assert.deepEqual(lost, []);
});
