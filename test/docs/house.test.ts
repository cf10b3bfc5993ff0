// SPDX-License-Identifier: Apache-2.0
/** What is around the code: workflows call what there is, the pins are found by who is to raise them, everything has a licence. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ROOT } from "./lib/documents.ts";
import { listMakeTargets } from "./lib/make-targets.ts";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { uses?: string; run?: string }[] }>>;
}

for (const name of readdirSync(join(ROOT, ".github/workflows"))) {
  test(`workflow ${name}: read-only unless it says otherwise, no foreign action, targets that exist`, () => {
    const { permissions, jobs } = parse(read(`.github/workflows/${name}`)) as Workflow;
    assert.deepEqual(permissions, { contents: "read" });
    const targets = listMakeTargets();
    for (const [job, { steps }] of Object.entries(jobs)) {
      for (const { uses, run } of steps) {
        if (uses !== undefined) assert.match(uses, /^actions\/checkout@(v\d+|[0-9a-f]{40})$/, job);
        for (const [, words = ""] of (run ?? "").matchAll(/\bmake ((?:[a-z0-9-]+ ?)+)/g)) {
          for (const target of words.trim().split(" "))
            assert.ok(targets.has(target), `${job}: make ${target}`);
        }
        for (const [path] of (run ?? "").matchAll(/\.(?:github|ci)\/[\w.-]+/g))
          assert.ok(read(path).length > 0);
      }
    }
  });
}

test("each step of a workflow is a target, or what .ci/run does", () => {
  for (const name of readdirSync(join(ROOT, ".github/workflows"))) {
    const { jobs } = parse(read(`.github/workflows/${name}`)) as Workflow;
    for (const [job, { steps }] of Object.entries(jobs)) {
      for (const { run } of steps) {
        if (run === undefined) continue;
        assert.match(
          run,
          /^(sudo --preserve-env=PATH )?(make [a-zA-Z0-9= -]+(\$\{\{ matrix\.arch \}\})?|\.ci\/run)$/,
          job,
        );
      }
    }
  }
});

const actionlint = spawnSync(join(ROOT, "e2e/tools/actionlint/build.sh"), ["look"], { encoding: "utf8" });

test("the workflows are what GitHub would take", {
  skip: actionlint.status === 0 ? false : "there is no actionlint (e2e/tools/actionlint/build.sh)",
}, () => {
  const options = ["-shellcheck=", "-pyflakes=", "-no-color"];
  const lint = (text: string) =>
    spawnSync(actionlint.stdout.trim(), [...options, "-"], { input: text, cwd: ROOT, encoding: "utf8" });
  for (const name of readdirSync(join(ROOT, ".github/workflows"))) {
    const { status, stdout } = lint(read(`.github/workflows/${name}`));
    assert.equal(status, 0, `${name}: ${stdout}`);
  }
  assert.equal(lint(read(".github/workflows/ci.yml").replace("runs-on:", "runs-at:")).status, 1);
});

test("a release has the tag that its sources say", () => {
  const run = (tag: string) =>
    spawnSync("make", ["release-check"], { cwd: ROOT, env: { ...process.env, TAG: tag } });
  const { version } = JSON.parse(read("package.json")) as { version: string };
  assert.equal(run(`v${version}`).status, 0);
  assert.equal(run("v999.0.0").status, 2);
});

interface CustomManager {
  readonly managerFilePatterns: readonly string[];
  readonly matchStrings: readonly string[];
}

test("renovate finds the version of every vendored package, of the base image and of cosign", () => {
  const { customManagers } = JSON.parse(read("renovate.json")) as {
    customManagers: readonly CustomManager[];
  };
  const find = (path: string) => {
    const found = customManagers.flatMap(({ managerFilePatterns, matchStrings }) =>
      managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(path))
        ? matchStrings.map((match) => new RegExp(match).exec(read(path))?.groups ?? {})
        : [],
    );
    return found[0] ?? {};
  };
  for (const name of readdirSync(join(ROOT, "vendor/packages")).filter((one) => one.endsWith(".sh"))) {
    // Inlab's last release is of 2018, and its successor would be another program.
    if (name === "balance-upstream.sh") continue;
    const path = `vendor/packages/${name}`;
    const [, version] = /^version=(\S+)$/m.exec(read(path)) ?? [];
    assert.equal(find(path).currentValue, version, path);
    assert.ok(find(path).depName, path);
  }
  assert.equal(find("docker/Dockerfile").depName, "debian");
  assert.match(find(".github/release.mk").currentValue ?? "", /^v\d/);
});

test("sign-off.sh tells who did not sign off", () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=A B", "-c", "user.email=a@b.example", ...args], {
      cwd: ROOT,
      encoding: "utf8",
    }).trim();
  const tree = git("rev-parse", "HEAD^{tree}");
  const base = git("commit-tree", tree, "-m", "base");
  const good = git("commit-tree", tree, "-p", base, "-m", "good\n\nSigned-off-by: A B <a@b.example>");
  const bad = git("commit-tree", tree, "-p", good, "-m", "bad\n\nSigned-off-by: C D <c@d.example>");
  const run = (to: string) =>
    execFileSync(join(ROOT, ".github/sign-off.sh"), [base, to], { cwd: ROOT, stdio: "pipe" });
  run(good);
  assert.throws(() => run(bad), /bad: no Signed-off-by of A B/);
});
