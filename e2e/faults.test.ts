// SPDX-License-Identifier: Apache-2.0
/** Children that die, a disk that fills up, a configuration that Hitch refuses. */
import assert from "node:assert/strict";
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { listProcesses, readArguments } from "../src/supervise/process-table.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { isAlive } from "../test/supervise/runner-contract.ts";
import { startBackend } from "./lib/backend.ts";
import { copyPrograms, makeGatedPrograms, makeTestlessHitch } from "./lib/bad-programs.ts";
import { curl, httpStatus, servedFingerprint } from "./lib/client.ts";
import { Evener, type StartOptions } from "./lib/evener.ts";
import { makeSecret, makeSite } from "./lib/manifests.ts";

const isRoot = process.getuid?.() === 0;

async function startSite(t: Parameters<typeof Evener.start>[0], options: StartOptions = {}) {
  const backend = await startBackend(t, "a");
  const pair = await makeKeyPair(["a.example"]);
  const evener = await Evener.start(
    t,
    { a: makeSite("a", [backend.port]), tls: [makeSecret("a-tls", pair)] },
    options,
  );
  return { backend, pair, evener, fetch: () => curl("a.example", evener.httpsPort) };
}

/** Pids of every process that runs from this run directory. */
async function listDataPlane(runDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const { pid, zombie } of await listProcesses()) {
    const args = zombie ? [] : await readArguments(pid);
    if (args.some((arg) => arg.endsWith(`${runDir}/hitch.conf`) || arg === `${runDir}/balance.conf`))
      found.push(pid);
  }
  return found;
}

for (const name of ["hitch", "balance"]) {
  test(`${name} killed: back within a second of its detection, serving, no orphan left`, async (t) => {
    const { evener, fetch } = await startSite(t);
    assert.equal(await fetch(), "a");
    const victim = evener.childPid(name);
    const family = (await listProcesses()).filter(({ group }) => group === victim).map(({ pid }) => pid);
    assert.ok(family.length >= 3, "a master and two workers");
    const from = evener.log.length;
    process.kill(victim, "SIGKILL");
    const died = await evener.waitLog(
      "the detection",
      ({ child, phase }) => child === name && phase === "backoff",
      from,
    );
    const ready = await evener.waitLog(
      "ready again",
      ({ child, phase }) => child === name && phase === "ready",
      from,
    );
    const took = Date.parse(String(ready.time)) - Date.parse(String(died.time));
    assert.ok(took < 1000, `${took} ms`);
    await evener.waitReady();
    assert.equal(await fetch(), "a");
    assert.deepEqual(family.filter(isAlive), []);
    assert.equal(await evener.metric(`evener_child_restarts_total{child="${name}"}`), 1);
  });

  test(`while ${name} is away readiness is false and says why`, async (t) => {
    const { bin, gate } = await makeGatedPrograms(t);
    const { evener, fetch } = await startSite(t, { binDir: bin });
    await writeFile(gate, "");
    process.kill(evener.childPid(name), "SIGKILL");
    await eventually("unreadiness", async () => !(await evener.isReady()));
    const { status, text } = await evener.get("/readyz");
    assert.equal(status, 503);
    assert.match(text, new RegExp(`^- ${name} is (backoff|starting)$`, "m"));
    assert.equal((await evener.get("/healthz")).status, 200);
    await rm(gate);
    await evener.waitReady();
    assert.equal(await fetch(), "a");
  });
}

test("a child that keeps dying is started ever more slowly", async (t) => {
  const { evener } = await startSite(t);
  const delays: number[] = [];
  let from = evener.log.length;
  for (let i = 0; i < 5; i++) {
    process.kill(evener.childPid("hitch"), "SIGKILL");
    const died = await evener.waitLog(
      "the death",
      ({ child, phase }) => child === "hitch" && phase === "backoff",
      from,
    );
    delays.push(Number(died.until) - Date.parse(String(died.time)));
    assert.equal(died.deaths, i + 1);
    await evener.waitLog("ready", ({ child, phase }) => child === "hitch" && phase === "ready", from);
    from = evener.log.length;
  }
  // With jitter each is between a half and the whole of a doubling delay; two doublings always show.
  for (let i = 2; i < 5; i++) assert.ok((delays[i] ?? 0) > (delays[i - 2] ?? 0), `${delays}`);
});

test("a program that is missing is named, and readiness says so", async (t) => {
  const bin = await mkdtemp(join(tmpdir(), "evener-bin-"));
  t.after(() => rm(bin, { recursive: true }));
  await chmod(bin, 0o755);
  const evener = await Evener.start(t, {}, { binDir: bin, waitReady: false });
  await evener.waitLog("failed", ({ child, phase }) => child === "balance" && phase === "failed");
  const { status, text } = await evener.get("/readyz");
  assert.equal(status, 503);
  assert.match(text, /balance is failed/);
  const problem = await evener.waitLog("the problem", ({ reason }) => reason === "ConfigurationNotVerified");
  assert.match(problem.msg, /balance.*ENOENT/);
});

test("disk full: the last good configuration serves; with space again the newest is applied", {
  skip: isRoot ? false : "mounting a small file system needs root",
}, async (t) => {
  const { evener, pair, fetch } = await startSite(t, {
    // There is no room for a copy.
    binDir: await copyPrograms(t),
    wrapper: (runDir) => [
      ...["unshare", "--mount", "sh", "-c"],
      `mkdir -p ${runDir} && mount -t tmpfs -o size=256k none ${runDir} && exec "$@"`,
      "sh",
    ],
  });
  // The mount is Evener's own; this is the way to it from outside.
  const filler = `/proc/${evener.pid}/root${evener.runDir}/filler`;
  await writeFile(filler, Buffer.alloc(1024 * 1024)).catch(() => undefined);
  assert.ok((await stat(filler)).size > 0);

  const two = await startBackend(t, "two");
  const next = await makeKeyPair(["a.example"]);
  await evener.put("all", [makeSecret("unused", next)]);
  await evener.put("a", makeSite("a", [two.port]));
  await evener.put("tls", [makeSecret("a-tls", next)]);
  await evener.waitLog("the problem", ({ reason, msg }) => reason === "WriteFailed" && /ENOSPC/.test(msg));
  assert.equal(await fetch(), "a");
  assert.equal(await servedFingerprint("a.example", evener.httpsPort), fingerprintLeaf(pair.cert));
  assert.equal(await evener.isReady(), true);
  assert.equal(await evener.metric("evener_config_last_reload_successful"), 0);

  // What is on the disk can be started from.
  const from = evener.log.length;
  for (const name of ["hitch", "balance"]) {
    process.kill(evener.childPid(name), "SIGKILL");
    await evener.waitLog(`${name} again`, ({ child, phase }) => child === name && phase === "ready", from);
  }
  assert.equal(await fetch(), "a");
  assert.equal(await servedFingerprint("a.example", evener.httpsPort), fingerprintLeaf(pair.cert));

  await rm(filler);
  await eventually("the newest configuration", async () => (await fetch()) === "two", 30_000);
  await eventually(
    "the newest certificate",
    async () => (await servedFingerprint("a.example", evener.httpsPort)) === fingerprintLeaf(next.cert),
    30_000,
  );
  await eventually(
    "no failure",
    async () => (await evener.metric("evener_config_last_reload_successful")) === 1,
  );
});

for (const [how, binDir] of [
  ["tested before it is installed", undefined],
  ["rolled back after the reload", "a Hitch that does not test"],
] as const) {
  test(`a configuration Hitch refuses is ${how}; the problem is reported`, {
    skip: isRoot ? false : "the children are told apart from the controller only as root",
  }, async (t) => {
    const bin = binDir === undefined ? undefined : await makeTestlessHitch(t);
    const { evener, pair, fetch } = await startSite(t, bin === undefined ? {} : { binDir: bin });
    const good = await evener.readRunFile("hitch.conf");
    // Hitch can't read what the controller writes there now.
    const certs = join(evener.runDir, "certs");
    const { uid, gid } = await stat(certs);
    await chown(certs, 0, 0);

    const next = await makeKeyPair(["a.example"]);
    await evener.put("tls", [makeSecret("a-tls", next)]);
    const problem = await evener.waitLog("the problem", ({ reason }) => reason === "ConfigurationRefused");
    assert.match(problem.msg, /\.pem/);
    assert.equal(await evener.readRunFile("hitch.conf"), good);
    assert.equal(await servedFingerprint("a.example", evener.httpsPort), fingerprintLeaf(pair.cert));
    assert.equal(await fetch(), "a");
    assert.equal(await evener.isReady(), true);
    const refused = 'evener_reloads_total{child="hitch",reason="certificates",result="refused"}';
    assert.ok((await evener.metric(refused)) >= 1);
    assert.equal(await evener.metric('evener_problems{kind="Evener",reason="ConfigurationRefused"}'), 1);
    const told = evener.log.filter(({ msg }) => /Config reload failed/.test(msg)).length;
    assert.equal(told > 0, bin !== undefined, "whether Hitch itself was asked to reload");

    await chown(certs, uid, gid);
    await eventually(
      "the retry",
      async () => (await servedFingerprint("a.example", evener.httpsPort)) === fingerprintLeaf(next.cert),
      30_000,
    );
    await eventually(
      "the problem's end",
      async () => (await evener.metric('evener_problems{kind="Evener",reason="ConfigurationRefused"}')) === 0,
    );
  });
}

test("a second controller on the same run directory is refused, and does no harm", async (t) => {
  const { evener, fetch } = await startSite(t);
  const second = await Evener.start(t, {}, { args: ["--run-dir", evener.runDir], waitReady: false });
  const record = await second.waitLog("the refusal", ({ level }) => level === "error");
  assert.match(JSON.stringify(record), /in use by process/);
  assert.equal(await second.waitExit(), 75);
  assert.equal(await fetch(), "a");
});

test("what a killed controller left is ended by the next one", async (t) => {
  const { evener } = await startSite(t);
  const left = await listDataPlane(evener.runDir);
  assert.ok(left.length >= 4, `${left.length} processes`);
  await evener.stop("SIGKILL");
  const ports = ["--http-port", String(evener.httpPort), "--https-port", String(evener.httpsPort)];
  const next = await Evener.start(t, {}, { args: ["--run-dir", evener.runDir, ...ports] });
  for (const pid of left) assert.equal(isAlive(pid), false, `${pid} is left`);
  assert.equal(await next.stop(), 0);
  assert.deepEqual(await listDataPlane(evener.runDir), []);
});

test("a port that is taken is told, and served when it is free", async (t) => {
  const taken = await startBackend(t, "taken");
  const evener = await Evener.start(t, {}, { args: ["--http-port", String(taken.port)], waitReady: false });
  await evener.waitLog("the problem", ({ msg }) => /balance.*ended at its start/.test(msg));
  assert.equal(await evener.isReady(), false);
  await taken.stop();
  await evener.waitReady();
});

test("without any manifest the default certificate is served and every name gets 404", async (t) => {
  const evener = await Evener.start(t, {});
  assert.notEqual(await servedFingerprint("a.example", evener.httpsPort), "");
  assert.equal(await httpStatus("a.example", evener.httpsPort), 404);
  assert.equal(await evener.metric('evener_http_requests_total{code="404"}'), 1);
});
