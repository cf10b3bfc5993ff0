// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ConfigFile, writeAtomically } from "../../src/apply/config-file.ts";
import { nodeFileSystem } from "../../src/apply/file-system.ts";
import { MemoryFs } from "../fixtures/memory-fs.ts";

describe("writeAtomically", () => {
  test("real files: content, mode whatever the umask, no leftovers", async () => {
    const dir = await mkdtemp(join(tmpdir(), "evener-files-"));
    const umask = process.umask(0o077);
    try {
      await writeAtomically(nodeFileSystem, join(dir, "a"), "one", 0o600);
      await writeAtomically(nodeFileSystem, join(dir, "a"), "two", 0o644);
      assert.equal(await readFile(join(dir, "a"), "utf8"), "two");
      assert.equal((await stat(join(dir, "a"))).mode & 0o777, 0o644);
      assert.deepEqual(await readdir(dir), ["a"]);
    } finally {
      process.umask(umask);
      await rm(dir, { recursive: true });
    }
  });

  test("whichever operation fails, the file is the old one or the new one, and a part is not left", async () => {
    for (let index = 0; index < 3; index++) {
      const fs = new MemoryFs();
      fs.files.set("/run/a", "old");
      fs.failAt = (_, i) => i === index;
      await assert.rejects(writeAtomically(fs, "/run/a", "new", 0o600), /ENOSPC/);
      assert.ok(["old", "new"].includes(fs.files.get("/run/a") ?? ""), `operation ${index}`);
      assert.equal(fs.files.has("/run/a.tmp"), false);
    }
  });
});

describe("ConfigFile", () => {
  const open = async () => {
    const fs = new MemoryFs();
    const file = new ConfigFile(fs, "/run/x.conf");
    await file.stage("one");
    await file.install();
    await file.accept();
    return { fs, file };
  };

  test("a refused text gives way to the last good one, again and again", async () => {
    const { fs, file } = await open();
    for (const bad of ["bad", "worse"]) {
      await file.stage(bad);
      await file.install();
      assert.equal(fs.files.get("/run/x.conf"), bad);
      assert.equal(await file.restore(), true);
      assert.equal(fs.files.get("/run/x.conf"), "one");
    }
    assert.deepEqual([...fs.files.keys()], ["/run/x.conf"]);
  });

  test("going back writes no data: it works on a full disk", async () => {
    const { fs, file } = await open();
    await file.stage("bad");
    await file.install();
    fs.failAt = (operation) => operation.startsWith("write");
    assert.equal(await file.restore(), true);
    assert.equal(fs.files.get("/run/x.conf"), "one");
  });

  test("when even going back fails, the good text is kept for the next time", async () => {
    const { fs, file } = await open();
    await file.stage("bad");
    await file.install();
    fs.failAt = (operation) => operation.startsWith("rename");
    await assert.rejects(file.restore(), /ENOSPC/);
    fs.failAt = () => false;
    await file.stage("bad again");
    await file.install();
    assert.equal(await file.restore(), true);
    assert.equal(fs.files.get("/run/x.conf"), "one");
  });

  test("without a good text there is nothing to go back to", async () => {
    const fs = new MemoryFs();
    const file = new ConfigFile(fs, "/run/x.conf");
    await file.stage("bad");
    await file.install();
    assert.equal(await file.restore(), false);
  });
});

test("a link that somebody planted is replaced, not followed", async () => {
  const dir = await mkdtemp(join(tmpdir(), "evener-files-"));
  try {
    await writeFile(join(dir, "victim"), "mine");
    await symlink("victim", join(dir, "a.tmp"));
    await writeAtomically(nodeFileSystem, join(dir, "a"), "new", 0o600);
    assert.equal(await readFile(join(dir, "victim"), "utf8"), "mine");
    assert.equal(await readFile(join(dir, "a"), "utf8"), "new");
    assert.equal((await lstat(join(dir, "a"))).isFile(), true);
  } finally {
    await rm(dir, { recursive: true });
  }
});
