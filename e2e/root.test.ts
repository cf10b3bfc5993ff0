// SPDX-License-Identifier: Apache-2.0
/** Evener run by root from below a directory that is closed to others, as a clone in root's home directory is. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readlink, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { startBackend } from "./lib/backend.ts";
import { copyPrograms } from "./lib/bad-programs.ts";
import { curl } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeSecret, makeSite } from "./lib/manifests.ts";

const BIN = join(import.meta.dirname, "../dist/bin");

async function makeClosedDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "evener-closed-"));
  t.after(() => rm(dir, { recursive: true }));
  await chmod(dir, 0o700);
  return dir;
}

describe("run by root", { skip: process.getuid?.() === 0 ? false : "not root" }, () => {
  test("the children are run from a copy when they can't reach their programs, which goes with Evener", async (t) => {
    const dir = await makeClosedDir(t);
    const binDir = join(dir, "clone/dist/bin");
    await mkdir(binDir, { recursive: true });
    for (const name of ["hitch", "balance"]) await copyFile(join(BIN, name), join(binDir, name));
    const backend = await startBackend(t, "a");
    const site = {
      a: makeSite("a", [backend.port]),
      tls: [makeSecret("a-tls", await makeKeyPair(["a.example"]))],
    };
    const evener = await Evener.start(t, site, { binDir });
    assert.equal(await curl("a.example", evener.httpsPort), "a");
    const copy = join(evener.runDir, "bin");
    assert.equal(await readlink(`/proc/${evener.childPid("hitch")}/exe`), join(copy, "hitch"));
    const { closed } = await evener.waitLog("why", ({ msg }) => msg.includes("are run from a copy"));
    assert.equal(closed, dir);
    assert.equal(await evener.stop(), 0);
    assert.equal(existsSync(copy), false);
  });

  test("no copy is made where they can", async (t) => {
    const binDir = await copyPrograms(t);
    const evener = await Evener.start(t, {}, { binDir });
    const exe = await readlink(`/proc/${evener.childPid("hitch")}/exe`);
    assert.equal(exe, await realpath(join(binDir, "hitch")));
    assert.equal(existsSync(join(evener.runDir, "bin")), false);
  });

  test("a run directory that they can't reach is refused, and the directory that is closed is named", async (t) => {
    const dir = await makeClosedDir(t);
    const evener = await Evener.start(
      t,
      {},
      { args: ["--run-dir", join(dir, "deep/run")], waitReady: false },
    );
    assert.equal(await evener.waitExit(), 69);
    const { err } = await evener.waitLog(
      "why",
      ({ msg }) => msg === "the children can't be started from here",
    );
    const { message } = err as { message: string };
    assert.ok(message.startsWith(`--run-dir ${dir}/deep/run: `), message);
    assert.ok(message.includes(`${dir} lets only its owner in`), message);
  });
});
