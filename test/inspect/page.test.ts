// SPDX-License-Identifier: Apache-2.0
/** Whatever stands in an inspection, the page shows it as text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPages, PAGES } from "../../src/inspect/page.ts";
import type { Inspection } from "../../src/inspect/types.ts";
import { visible } from "../../src/inspect/visible.ts";
import { HOSTILE } from "../helpers/hostile.ts";

const MARKUP: Readonly<Record<string, string>> = {
  ...HOSTILE,
  tag: "<script>h0stile()</script>",
  attribute: `" onfocus="h0stile()" autofocus x='`,
  comment: "--><h0stile>",
  closing: "</td></table></main><h0stile>",
  entity: "&lt;h0stile&gt;&#60;",
  handlebars: `{{{h0stile}}}{{lookup this "constructor"}}`,
};

const show = createPages();

const NOW = "2026-01-01T00:00:00.000Z";

/** Lines have been told apart by then. */
function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}

function makeInspection(word: string): Inspection {
  return {
    // These three, and times of files, are the controller's own.
    version: "1",
    at: NOW,
    startedAt: NOW,
    missing: [word],
    children: [{ name: word, phase: word, pid: 1, current: false }],
    balanceError: word,
    routes: [
      { host: word, path: word, lane: "http", pool: word, how: [word], certificate: word, ingresses: [word] },
    ],
    certificates: [
      {
        hosts: [word],
        secret: word,
        isDefault: true,
        notAfter: word,
        validity: "unknown",
        clients: word,
        id: word,
      },
    ],
    pools: [
      {
        pool: word,
        lb: word,
        groups: [
          {
            mode: "rr",
            channels: [{ channel: word, max: 0, active: 0, total: 0, failed: 0, bytes_in: 0, bytes_out: 0 }],
          },
        ],
        how: [word],
      },
    ],
    problems: [{ object: word, severity: "error", reason: word, field: word, message: word }],
    files: [
      {
        name: word,
        bytes: 1,
        sha256: word,
        changedAt: NOW,
        live: false,
        diff: `---\n+++\n@@\n+${oneLine(word)}\n-${oneLine(word)}\n`,
      },
    ],
    reloads: [{ at: word, child: word, reason: word, result: word, milliseconds: 1, message: word }],
  };
}

/** Names of elements and of their attributes, in order: what an HTML page is but for its text. */
function listTags(html: string): string {
  const tags = html.match(/<[^>]*>/g) ?? [];
  return tags.map((tag) => tag.replace(/"[^"]*"/g, '""')).join("\n");
}

for (const page of PAGES) {
  test(`${page}: the same elements whatever the values are`, () => {
    const render = (word: string, filter = "") =>
      show(makeInspection(word), { page, filter, from: 0, file: () => oneLine(word) });
    const plain = listTags(render("plain"));
    for (const [name, word] of Object.entries(MARKUP)) {
      const html = render(word);
      // A long word has a class of its own.
      assert.equal(listTags(html).replaceAll(' class=""', ""), plain.replaceAll(' class=""', ""), name);
      assert.doesNotMatch(html, /<h0stile|<script>h0/i, name);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
      assert.doesNotMatch(html, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e]/, name);
      assert.ok(html.isWellFormed(), name);
      assert.ok(html.startsWith("<!doctype html>"), name);
      assert.doesNotMatch(render("plain", word), /<h0stile|<script>h0/i, name);
    }
  });
}

test("what can't be seen is spelled out, and the rest stays", () => {
  assert.equal(
    visible("a\u202eb\u0000\n\tc\u200d\ud800é漢😀"),
    "a\\u{202e}b\\u{0}\\u{a}\\u{9}c\\u{200d}\\u{d800}é漢😀",
  );
  assert.equal(visible("a\n\tb\r", true), "a\n\tb\\u{d}");
});

test("a table of thousands comes in parts, and the filter looks at all of them", () => {
  const inspection = makeInspection("x");
  const [route] = inspection.routes;
  assert.ok(route !== undefined);
  const routes = Array.from({ length: 1200 }, (_, i) => ({ ...route, host: `h${i}.example` }));
  const render = (filter: string, from: number) =>
    show({ ...inspection, routes }, { page: "routes", filter, from, file: () => undefined });
  const first = render("", 0);
  assert.match(first, /1 to 500 of 1200/);
  assert.match(first, /href="routes\?q&#x3D;&amp;from&#x3D;500"/);
  assert.doesNotMatch(first, /Rows before/);
  const last = render("", 1000);
  assert.match(last, /1001 to 1200 of 1200/);
  assert.match(last, /Rows before/);
  assert.doesNotMatch(last, /Rows after/);
  const one = render("H1199.ex", 0);
  assert.match(one, />1 of 1200</);
  assert.match(one, /h1199\.example/);
});
