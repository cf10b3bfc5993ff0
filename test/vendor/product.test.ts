// SPDX-License-Identifier: Apache-2.0
// What the linked data-plane ELF promises: static, small, two programs picked by name, one allocator.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, statSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

const hitch = join(import.meta.dirname, "../../dist/bin/hitch");
const balance = join(import.meta.dirname, "../../dist/bin/balance");
const skip = existsSync(hitch) ? false : "dist/bin/hitch is not built (make dataplane)";

function run(file: string, args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, text: stdout + stderr };
}

describe("the data-plane ELF", { skip }, () => {
  it("is static, stripped and under 8 MB", () => {
    const { text } = run("file", ["-b", hitch]);
    assert.match(text, /^ELF 64-bit.*statically linked.*, stripped/);
    assert(statSync(hitch).size < 8 * 1024 * 1024);
  });

  it("asks for a non-executable stack and read-only relocations", () => {
    const { text } = run("readelf", ["-lW", hitch]);
    assert.match(text, /GNU_STACK.* RW +0x/);
    assert.match(text, /GNU_RELRO/);
    assert.doesNotMatch(text, / RWE /);
  });

  it("is one file under two names", () => {
    assert.equal(statSync(hitch).ino, statSync(balance).ino);
    assert.match(run(hitch, ["--version"]).text, /^hitch 1\.8\.0/);
    assert.match(run(balance, ["--help"]).text, /usage: balance/);
  });

  it("takes the program from the first argument under any other name, and refuses anything else", async () => {
    const dir = await mkdtemp(join(tmpdir(), "evener-elf-"));
    try {
      const other = join(dir, "dataplane");
      symlinkSync(hitch, other);
      assert.match(run(other, ["hitch", "--version"]).text, /^hitch 1\.8\.0/);
      assert.match(run(other, ["balance", "--help"]).text, /usage: balance/);
      for (const args of [[], ["other"], ["/bin/hitch"]]) {
        const { status, text } = run(other, args);
        assert.equal(status, 64);
        assert.match(text, /^usage: /);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it("allocates with mimalloc", () => {
    const { text } = run(hitch, ["--version"], { MIMALLOC_VERBOSE: "1" });
    assert.match(text, /mimalloc: process init/);
  });
});
