// SPDX-License-Identifier: Apache-2.0
// NOTICE and the SBOM follow what is shipped.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { DEBIAN_LOCK, listComponents, ROOT } from "../../docker/components.ts";

function run(script: string, args: readonly string[], epoch = "0") {
  const env = { ...process.env, SOURCE_DATE_EPOCH: epoch };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "docker", script), ...args], {
    encoding: "utf8",
    env,
  });
  return { status, stdout, stderr };
}

function makeDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "evener-notice-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

describe("NOTICE", () => {
  it("says what is shipped", () => {
    assert.deepEqual(run("notice.ts", ["check"]), { status: 0, stdout: "", stderr: "" });
  });

  it("fails when a component is not listed, and names it", (t) => {
    const lock = join(makeDir(t), "lock");
    copyFileSync(DEBIAN_LOCK, lock);
    appendFileSync(lock, `zlib1g amd64 1.2.13 zlib 1.2.13 Zlib ${"0".repeat(64)}\n`);
    const { status, stderr } = run("notice.ts", ["check", "amd64", lock]);
    assert.equal(status, 1);
    assert.match(stderr, /^ +zlib1g +1\.2\.13 +Zlib +debian\/zlib1g\/copyright/m);
  });

  it("fails when a licence text is missing in the image", (t) => {
    const dir = makeDir(t);
    mkdirSync(join(dir, "usr/share/licenses"), { recursive: true });
    const { status, stderr } = run("notice.ts", ["verify", "amd64", DEBIAN_LOCK, dir]);
    assert.equal(status, 1);
    assert.match(stderr, /^openssl: its licence text .*openssl\/LICENSE\.txt is missing$/m);
  });
});

describe("the SBOM", () => {
  it("is the same for the same inputs, and lists every component once", async () => {
    const { stdout } = run("sbom.ts", ["arm64"], "1700000000");
    assert.equal(run("sbom.ts", ["arm64"], "1700000000").stdout, stdout);
    const sbom = JSON.parse(stdout) as {
      creationInfo: { created: string };
      packages: { SPDXID: string; name: string; licenseDeclared: string }[];
      relationships: { relatedSpdxElement: string }[];
    };
    assert.equal(sbom.creationInfo.created, "2023-11-14T22:13:20Z");
    const ids = sbom.packages.map(({ SPDXID }) => SPDXID);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      sbom.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement).sort(),
      ids.sort(),
    );
    const names = sbom.packages.map(({ name }) => name);
    for (const { name } of await listComponents("arm64")) assert(names.includes(name), name);
    // Used to build, not shipped.
    for (const name of ["typescript", "esbuild", "postject"]) assert(!names.includes(name), name);
    for (const { SPDXID } of sbom.packages) assert.match(SPDXID, /^SPDXRef-[A-Za-z0-9.-]+$/);
  });
});
