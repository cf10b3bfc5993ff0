// SPDX-License-Identifier: Apache-2.0
// The single-file executable (make dist), in a directory where nothing else of Evener is.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { findFreePorts } from "../../e2e/lib/ports.ts";
import { chooseDirectory, type EmbeddedFile, unpack } from "../../src/standalone/unpack.ts";
import { listProcesses, readArguments } from "../../src/supervise/process-table.ts";

const ROOT = join(import.meta.dirname, "../..");
const PRODUCT = join(ROOT, `dist/evener-linux-${process.arch}`);
const skip = existsSync(PRODUCT) ? false : "not built (make dist)";
const run = promisify(execFile);

function makeDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "evener-standalone-test-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** In good order, and if it does not, at once: killed, it would leave Hitch and Balance running, as it is meant to. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const second = setTimeout(() => child.kill("SIGTERM"), 15_000);
  await exited;
  clearTimeout(second);
}

const unpacked = (pid: number | undefined) =>
  ["/dev/shm", tmpdir()]
    .flatMap((dir) => readdirSync(dir))
    .filter((name) => name.startsWith(`evener-bin-${pid}-`));

/** Processes that were started with something in `dir`: Hitch and Balance with their workers. */
async function listFamily(dir: string): Promise<number[]> {
  const all = (await listProcesses()).filter(({ zombie }) => !zombie);
  const named = await Promise.all(
    all.map(async ({ pid }) =>
      (await readArguments(pid)).some(
        (arg) => /^(--config=)?\//.test(arg) && arg.includes(join(dir, "run/")),
      ),
    ),
  );
  return all.filter((_, i) => named[i]).map(({ pid }) => pid);
}

describe("the single-file executable", { skip }, () => {
  it("renders as the bundle does", async (t) => {
    const dir = makeDir(t);
    copyFileSync(PRODUCT, join(dir, "evener"));
    const args = ["render", "-f", join(ROOT, "examples/ingress.yaml")];
    const { stdout } = await run(join(dir, "evener"), args, { cwd: dir, env: { PATH: "/usr/bin:/bin" } });
    const bundle = await run(join(ROOT, "dist/bin/evener"), args);
    assert.equal(stdout, bundle.stdout);
    assert.match(stdout, /==> balance\.conf <==/);
  });

  it("runs a directory of manifests with the data plane it brings, and leaves nothing behind", async (t) => {
    const dir = makeDir(t);
    await chmod(dir, 0o755);
    mkdirSync(join(dir, "manifests"));
    cpSync(join(ROOT, "examples/ingress-class.yaml"), join(dir, "manifests/ingress-class.yaml"));
    const [http, https, health] = await findFreePorts(3);
    const args = ["run", "--source", `dir:${dir}/manifests`, "--run-dir", join(dir, "run"), "--workers", "1"];
    args.push("--http-port", `${http}`, "--https-port", `${https}`, "--healthz-port", `${health}`);
    // It ends with the test's process, however that ends (prctl(2), PR_SET_PDEATHSIG).
    const child = spawn("setpriv", ["--pdeathsig", "TERM", PRODUCT, ...args], {
      cwd: dir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.after(() => end(child));
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += String(chunk)));
    const exited = once(child, "exit");
    let ready = false;
    for (let i = 0; i < 300 && !ready; i++) {
      await sleep(100);
      ready = (await fetch(`http://127.0.0.1:${health}/readyz`).catch(() => undefined))?.ok ?? false;
    }
    assert(ready, log);
    assert.equal(unpacked(child.pid).length, 1);
    assert.notDeepEqual(await listFamily(dir), []);
    const socket = connect({ host: "127.0.0.1", port: Number(https), rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.destroy();
    child.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
    assert.deepEqual(unpacked(child.pid), []);
    assert.deepEqual(await listFamily(dir), []);
  });

  it("prints the licences of what it contains", async () => {
    const { stdout } = await run(PRODUCT, ["--licences"], { maxBuffer: 1e7 });
    for (const text of ["Apache License", "OpenSSL", "hitch 1.8.0", "musl", "commander"])
      assert(stdout.includes(text), text);
  });
});

describe("unpacking", () => {
  it("refuses a file that is not what was built", (t) => {
    const files: EmbeddedFile[] = [{ path: "bin/hitch", sha256: "0".repeat(64), executable: true }];
    assert.throws(() => unpack(makeDir(t), files, () => Buffer.from("x")), /is not what was built/);
  });

  it("takes the first directory that is there, and sweeps what a killed one left", async (t) => {
    const dir = makeDir(t);
    mkdirSync(join(dir, "evener-bin-999999999-abc"));
    const chosen = chooseDirectory([undefined, "/nowhere", dir]);
    assert.deepEqual(readdirSync(dir), [chosen.slice(dir.length + 1)]);
    await assert.rejects(readFile(join(chosen, "try")));
  });
});
