// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MAX_DOCUMENTS, MAX_FILE_BYTES, parseManifests } from "../../src/store/parse-manifests.ts";
import { readManifestFiles } from "../../src/store/read-files.ts";
import { splitDocuments } from "../../src/store/split-documents.ts";

const service = (name: string) => `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\n`;

describe("parseManifests", () => {
  const broken: Readonly<Record<string, string>> = {
    "an unclosed quote": 'kind: "x\n',
    "an unclosed bracket": "kind: [x\n",
    "an unclosed brace": "kind: {x: y\n",
    "a tab": "kind:\n\tx: y\n",
    "a repeated key": "kind: x\nkind: y\n",
    "an unknown alias": "kind: *nobody\n",
    "an unknown tag with an alias": "kind: !!js/function *x\n",
    "a block scalar that ends badly": "kind: |\n  x\n y\n",
  };
  for (const [what, text] of Object.entries(broken)) {
    test(`${what} spoils its own document only, and is named by line`, () => {
      const all = `${service("before")}---\n${text}---\n${service("after")}`;
      const { objects, problems } = parseManifests(all, "dir/file.yaml");
      assert.deepEqual(
        objects.map(({ object }) => object.metadata?.name),
        ["before", "after"],
      );
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? "", /^dir\/file\.yaml line [4-9]: /);
      assert.equal(problems[0]?.ref.name, "dir/file.yaml");
    });
  }

  test("documents may be divided in every way YAML knows", () => {
    const text = `%YAML 1.2\n---\n${service("a")}...\n${service("b")}--- # comment\n${service("c")}---\n---\n# nothing\n--- {apiVersion: v1, kind: Service, metadata: {name: d}}\n`;
    const { objects, problems } = parseManifests(text, "x.yaml");
    assert.deepEqual(problems, []);
    assert.deepEqual(
      objects.map(({ object }) => object.metadata?.name),
      ["a", "b", "c", "d"],
    );
  });

  test("Windows line ends, a byte order mark and an empty file are no faults", () => {
    for (const text of [service("a").replaceAll("\n", "\r\n"), `\ufeff${service("a")}`]) {
      const { objects, problems } = parseManifests(text, "x.yaml");
      assert.deepEqual([objects.length, problems.length], [1, 0]);
    }
    for (const text of ["", "\n", "# only a comment\n", "---\n---\n"]) {
      assert.deepEqual(parseManifests(text, "x.yaml"), {
        file: "x.yaml",
        objects: [],
        problems: [],
        notes: [],
      });
    }
  });

  test("what is too large is refused as a whole", () => {
    const large = parseManifests("#".repeat(MAX_FILE_BYTES + 1), "x.yaml");
    assert.equal(large.problems[0]?.reason, "FileTooLarge");
    const many = parseManifests("---\na\n".repeat(MAX_DOCUMENTS + 1), "x.yaml");
    assert.equal(many.problems[0]?.reason, "TooManyDocuments");
  });

  test("field names of the prototype are unknown fields like others", () => {
    const text =
      '{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"__proto__":{"x":1},"constructor":{}}}';
    const { objects, problems } = parseManifests(text, "x.json");
    assert.equal(objects.length, 1);
    assert.deepEqual(
      problems.map((problem) => problem.reason),
      ["UnknownField", "UnknownField"],
    );
  });

  test("a value of a Secret is never shown", () => {
    const text =
      'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\ndata: { tls.key: "-----BEGIN hunter2" }\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: b }\nstringData: [hunter2]\n---\nhunter2\n';
    const { problems } = parseManifests(text, "x.yaml");
    assert.equal(problems.length, 3);
    assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
  });

  test("null stands for absent", () => {
    const text = `${service("a")}spec: { type: null, ports: null }\n`;
    const { objects, problems } = parseManifests(text, "x.yaml");
    assert.deepEqual(problems, []);
    assert.deepEqual(JSON.parse(JSON.stringify(objects[0]?.object)).spec, {});
  });
});

test("splitDocuments tells on which line each document begins", () => {
  const lines = splitDocuments("a: 1\n---\nb: 2\n\n---\n# nothing\n---\nc: 3\n").map(({ line }) => line);
  assert.deepEqual(lines, [1, 2, 7]);
});

test("a directory is read with all below it, but for hidden and other files", async () => {
  const dir = mkdtempSync(join(tmpdir(), "evener-files-"));
  try {
    mkdirSync(join(dir, "sub/.git"), { recursive: true });
    for (const name of ["b.yml", "a.yaml", "sub/c.json", "sub/.git/x.yaml", ".hidden.yaml", "readme.md"]) {
      writeFileSync(join(dir, name), "{}");
    }
    symlinkSync(join(dir, "nowhere"), join(dir, "dangling.yaml"));
    const { files, problems } = await readManifestFiles(dir);
    assert.deepEqual(
      files.map((file) => file.name),
      ["a.yaml", "b.yml", "sub/c.json"],
    );
    assert.deepEqual(
      problems.map((problem) => [problem.reason, problem.ref.name]),
      [["UnreadableFile", "dangling.yaml"]],
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});
