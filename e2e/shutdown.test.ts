// SPDX-License-Identifier: Apache-2.0
/** The orderly end: nobody new, those who are there may finish, nothing is left. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { listProcesses } from "../src/supervise/process-table.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { isAlive } from "../test/supervise/runner-contract.ts";
import { startBackend } from "./lib/backend.ts";
import { makeGatedPrograms } from "./lib/bad-programs.ts";
import { curlStatus, OpenConnection } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeIngress, makeSecret, makeSite } from "./lib/manifests.ts";

async function startSite(t: Parameters<typeof Evener.start>[0], grace: string, lane: "http" | "tcp" = "tcp") {
  const backend = await startBackend(t, "a");
  const pair = await makeKeyPair(["a.example"]);
  const args = ["--shutdown-grace-period", grace];
  const site = {
    a: makeSite("a", [backend.port], { lane }),
    plain: [makeIngress("plain", "plain.example", { service: "a", secret: "none" })],
    tls: [makeSecret("a-tls", pair)],
  };
  const evener = await Evener.start(t, site, { args });
  const masters = [evener.childPid("hitch"), evener.childPid("balance")];
  const family = (await listProcesses()).filter(({ group }) => masters.includes(group)).map(({ pid }) => pid);
  return { evener, family };
}

test("SIGTERM: not ready, no new connection, the open ones go on; exit 0 when they have ended", async (t) => {
  const { evener, family } = await startSite(t, "60s");
  const open = await OpenConnection.open("a.example", evener.httpsPort);
  assert.equal(await open.ask("a.example"), "a");
  evener.kill("SIGTERM");
  await eventually("the closed port", async () => (await curlStatus("a.example", evener.httpsPort)) !== 0);
  const { status, text } = await evener.get("/readyz");
  assert.equal(status, 503);
  assert.match(text, /shutting down/);
  assert.equal(await open.ask("a.example"), "a");
  const ended = evener.waitExit();
  assert.equal(await open.ask("a.example"), "a");
  await open.close();
  assert.equal(await ended, 0);
  assert.deepEqual(family.filter(isAlive), []);
  assert.equal(existsSync(join(evener.runDir, "certs")), false, "keys are left on the disk");
});

test("HTTP lane: after SIGTERM an open connection gets one more answer, which says that it is the last", async (t) => {
  const { evener, family } = await startSite(t, "60s", "http");
  const tls = await OpenConnection.open("a.example", evener.httpsPort);
  const plain = await OpenConnection.openPlain(evener.httpPort);
  assert.equal(await tls.ask("a.example"), "a");
  assert.equal(await plain.ask("plain.example"), "a");
  evener.kill("SIGTERM");
  await eventually("the closed port", async () => (await curlStatus("a.example", evener.httpsPort)) !== 0);
  await assert.rejects(OpenConnection.openPlain(evener.httpPort), /ECONNREFUSED/);
  const ended = evener.waitExit();
  assert.equal(await tls.ask("a.example"), "a");
  assert.equal(await plain.ask("plain.example"), "a");
  for (const { received } of [tls, plain]) assert.match(received, /^Connection: close\r$/m);
  assert.equal(await ended, 0, "nobody had to close a connection for it to end");
  await eventually("the closed connections", () => tls.failed !== undefined && plain.failed !== undefined);
  assert.deepEqual(family.filter(isAlive), []);
});

test("a connection that stays is cut when the grace period is over", async (t) => {
  const { evener, family } = await startSite(t, "2s");
  const open = await OpenConnection.open("a.example", evener.httpsPort);
  const started = Date.now();
  assert.equal(await evener.stop(), 0);
  // The period itself, and a generous allowance for a busy machine.
  assert.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`);
  await eventually("the cut", () => open.failed !== undefined);
  assert.deepEqual(family.filter(isAlive), []);
});

test("a second signal ends at once, and still leaves nothing behind", async (t) => {
  const { evener, family } = await startSite(t, "60s");
  const open = await OpenConnection.open("a.example", evener.httpsPort);
  evener.kill("SIGTERM");
  await evener.waitLog("the drain", ({ msg }) => msg === "shutting down");
  assert.equal(await evener.stop("SIGINT"), 1);
  await eventually("no process", () => !family.some(isAlive));
  await eventually("the cut", () => open.failed !== undefined);
});

test("SIGTERM while a child hangs in its start ends within the grace period", async (t) => {
  const { bin, gate } = await makeGatedPrograms(t);
  await writeFile(gate, "");
  const args = ["--shutdown-grace-period", "2s"];
  const evener = await Evener.start(t, {}, { binDir: bin, args, waitReady: false });
  await evener.waitLog("the start", ({ child, phase }) => child === "balance" && phase === "starting");
  const started = Date.now();
  assert.equal(await evener.stop(), 0);
  // Far less than a child is given to get ready.
  assert.ok(Date.now() - started < 9_000, `${Date.now() - started} ms`);
  assert.equal(isAlive(evener.childPid("balance")), false);
});
