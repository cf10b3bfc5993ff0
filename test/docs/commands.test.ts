// SPDX-License-Identifier: Apache-2.0
/** Every command in the documents is run, or marked with where it can be. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { DOCUMENTED, type DocumentedName, findDocumented } from "../../e2e/cluster/lib/documented.ts";
import { listDocuments, MARKS, PLAIN_LANGUAGES, ROOT, whereToRun } from "./lib/documents.ts";
import { listMakeTargets } from "./lib/make-targets.ts";
import type { Fence } from "./lib/markdown.ts";
import { canUnshare, hasSteps, renderCharts, runDocument } from "./lib/script.ts";

const documents = listDocuments();
const commands = documents.flatMap(({ path, fences }) =>
  fences.filter(({ language }) => language === "sh").map((fence) => ({ path, fence })),
);
const built = existsSync(join(ROOT, "dist/bin/evener")) && existsSync(join(ROOT, "dist/bin/balance"));
const skip = built ? false : "needs dist: make build dataplane";

test("each fence says what it holds, and fences with commands where they are run", () => {
  for (const { path, fences } of documents) {
    for (const { language, words, line } of fences) {
      const known: readonly string[] = ["sh", ...PLAIN_LANGUAGES];
      assert.ok(known.includes(language), `${path}:${line}: "${language}" is none of ${known.join(", ")}`);
      for (const word of words) {
        const isKnown = /^(file|status)=/.test(word) || (MARKS as readonly string[]).includes(word);
        assert.ok(isKnown, `${path}:${line}: what is "${word}"?`);
      }
    }
  }
});

test("no command hides in a fence that is not for commands", () => {
  // What follows "$ " is a recording of what was on a screen.
  const command = /^\s*(sudo |dist\/bin\/)?(make|helm|kubectl|docker|curl|evener) [a-z-]/m;
  for (const { path, fences } of documents) {
    for (const { language, text, line } of fences) {
      if (language === "text") assert.doesNotMatch(text, command, `${path}:${line} has commands: mark it sh`);
    }
  }
});

for (const { path, fence } of commands.filter(({ fence }) => whereToRun(fence) !== "run")) {
  test(`${path}:${fence.line} (${whereToRun(fence)}) is a shell script`, () => {
    execFileSync("bash", ["-n"], { input: fence.text, stdio: ["pipe", "pipe", "pipe"] });
  });
}

for (const { path, fence } of commands.filter(({ fence }) =>
  /^\s*helm (install|upgrade) /m.test(fence.text),
)) {
  test(`${path}:${fence.line}: the chart takes the values`, { skip }, async () => {
    assert.match(await renderCharts(fence), /^kind: (Deployment|DaemonSet)$/m);
  });
}

test("the targets of make that documents name are there", () => {
  const targets = listMakeTargets();
  for (const { path, fence } of commands) {
    for (const [, words = ""] of fence.text.matchAll(/^\s*(?:[A-Z_]+=\S+ )*make ((?:[a-z0-9-]+ ?)+)/gm)) {
      for (const target of words.trim().split(" ")) {
        assert.ok(targets.has(target), `${path}:${fence.line}: there is no make ${target}`);
      }
    }
  }
});

test("manifests in documents are YAML", () => {
  for (const { path, fences } of documents) {
    for (const { language, text, line } of fences.filter(({ language }) => language === "yaml")) {
      for (const { errors } of parseAllDocuments(text)) {
        assert.deepEqual(errors, [], `${path}:${line}: ${language}`);
      }
    }
  }
});

const alone = skip || (canUnshare() ? false : "needs a network namespace: run it as root");

describe("as a reader would type it", { skip: alone }, () => {
  for (const document of documents.filter(hasSteps)) {
    test(document.path, async () => {
      const { status, steps, errors } = await runDocument(document);
      assert.equal(
        status,
        0,
        `${document.path}, ${errors}${steps.map(({ output }) => output ?? "").join("")}`,
      );
      for (const { fence, output } of steps) {
        const expected = findOutput(document.fences, fence);
        if (expected !== undefined) {
          assert.equal(output, expected.text, `${document.path}:${expected.line} is what is printed`);
        }
      }
    });
  }
});

/** A fence `output` right behind one with commands is what these print, byte for byte. */
function findOutput(fences: readonly Fence[], fence: Fence): Fence | undefined {
  const next = fences[fences.indexOf(fence) + 1];
  return next?.language === "output" ? next : undefined;
}

test("what needs a cluster is what the tests on a node type", () => {
  const marked = commands.filter(({ fence }) => whereToRun(fence) === "cluster");
  const names = Object.keys(DOCUMENTED) as DocumentedName[];
  const typed = names.map((name) => findDocumented(marked, name));
  const lost = marked.filter((one) => !typed.includes(one));
  assert.deepEqual(
    lost.map(({ path, fence }) => `${path}:${fence.line}`),
    [],
    "in e2e/cluster/lib/documented.ts and documents.test.ts there is nothing of them",
  );
  assert.equal(new Set(typed).size, names.length);
});

/** Nobody but people runs these: how each begins, and what the tests don't have. */
const ELSEWHERE: readonly (readonly [path: string, begins: string, missing: string])[] = [
  ["docs/getting-started.md", "kind create cluster", "docker, which kind makes its nodes with"],
  [
    "docs/image.md",
    "docker run",
    "docker's server; make test-image runs the image with runc in the same way",
  ],
  ["docs/image.md", "skopeo copy", "a registry, and the signer's public services"],
  ["docs/image.md", "cosign verify", "a registry, and the signer's public services"],
  [
    "docs/upstream-engine.md",
    "/usr/local/bin/balance-upstream",
    "Inlab's program; documents.test.ts starts ours so",
  ],
];

test("what is run by nobody but people", () => {
  const marked = commands.filter(({ fence }) => whereToRun(fence) === "elsewhere");
  for (const { path, fence } of marked) {
    const known = ELSEWHERE.some(([where, begins]) => where === path && fence.text.startsWith(begins));
    assert.ok(known, `${path}:${fence.line} is run by no test: say why in ELSEWHERE`);
  }
  assert.equal(marked.length, ELSEWHERE.length);
});
