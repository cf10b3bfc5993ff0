// SPDX-License-Identifier: Apache-2.0
/** Hitch's workers are workers of Balance, too; or not, when that is asked for. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { curl, OpenConnection } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeSecret, makeSite } from "./lib/manifests.ts";

async function start(t: TestContext, args: readonly string[] = []): Promise<Evener> {
  const [a, b] = [await startBackend(t, "by host and path"), await startBackend(t, "by name")];
  const tls = [
    makeSecret("a-tls", await makeKeyPair(["a.example"])),
    makeSecret("b-tls", await makeKeyPair(["b.example"])),
  ];
  const sites = [...makeSite("a", [a.port]), ...makeSite("b", [b.port], { lane: "tcp" })];
  return Evener.start(t, { sites: [...sites, ...tls] }, { args: ["--workers", "2", ...args] });
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").map(Number);
}

/** Each worker joins with its first client, and the kernel chooses whose client that is. */
async function untilJoined(evener: Evener, pids: readonly number[]): Promise<void> {
  await eventually("Hitch's workers to join", async () => {
    assert.equal(await curl("a.example", evener.httpsPort), "by host and path");
    const { guests = [] } = await evener.balance.status();
    return pids.every((pid) => guests.some((guest) => guest.pid === pid));
  });
}

test("Hitch's workers join; what they serve is Balance's in all respects", async (t) => {
  const evener = await start(t);
  const workers = await childrenOf(evener.childPid("hitch"));
  assert.equal(workers.length, 2);
  await untilJoined(evener, workers);
  const [before] = (await evener.balance.status()).listeners.filter(({ name }) => name === "https");
  const open = await OpenConnection.open("a.example", evener.httpsPort);
  t.after(() => open.close());
  assert.equal(await open.ask("a.example"), "by host and path");
  const relayed = await OpenConnection.open("b.example", evener.httpsPort);
  t.after(() => relayed.close());
  assert.equal(await relayed.ask("b.example"), "by name");
  const status = await evener.balance.status();
  const [after] = status.listeners.filter(({ name }) => name === "https");
  assert.equal((after?.accepted ?? 0) - (before?.accepted ?? 0), 2);
  assert.equal(
    status.guests?.reduce((sum, { connections }) => sum + connections, 0),
    2,
  );
  assert.deepEqual(
    status.workers.map(({ connections }) => connections),
    [0, 0],
  );

  // A reload reaches them, and moves no connection.
  const moved = await startBackend(t, "moved");
  await evener.put("sites", [
    ...makeSite("a", [moved.port]),
    makeSecret("a-tls", await makeKeyPair(["a.example"])),
  ]);
  await eventually("the new endpoint", async () => (await open.ask("a.example")) === "moved");
  assert.equal(await relayed.ask("b.example"), "by name");
});

test("Balance killed: workers of Hitch that have joined keep their connections, and join the next one", async (t) => {
  const evener = await start(t);
  const workers = await childrenOf(evener.childPid("hitch"));
  await untilJoined(evener, workers);
  const open = await OpenConnection.open("b.example", evener.httpsPort);
  assert.equal(await open.ask("b.example"), "by name");
  const balance = evener.childPid("balance");
  process.kill(balance, "SIGKILL");
  await eventually("another Balance", () => evener.childPid("balance") !== balance);
  await evener.waitReady();
  assert.equal(await open.ask("b.example"), "by name");
  assert.equal(await curl("a.example", evener.httpsPort), "by host and path");
  await open.close();
  await untilJoined(evener, workers);
  assert.deepEqual(await childrenOf(evener.childPid("hitch")), workers);
});

test("--separate-processes: nobody joins, and everything is served", async (t) => {
  const evener = await start(t, ["--separate-processes"]);
  assert.doesNotMatch(await evener.readRunFile("balance.conf"), /^guests/m);
  const open = await OpenConnection.open("a.example", evener.httpsPort);
  t.after(() => open.close());
  assert.equal(await open.ask("a.example"), "by host and path");
  assert.equal(await curl("b.example", evener.httpsPort), "by name");
  const { guests, workers } = await evener.balance.status();
  assert.equal(guests, undefined);
  assert.ok(workers.reduce((sum, { connections }) => sum + connections, 0) >= 1);
  const moved = await startBackend(t, "moved");
  await evener.put("sites", [
    ...makeSite("a", [moved.port]),
    makeSecret("a-tls", await makeKeyPair(["a.example"])),
  ]);
  await eventually("the new endpoint", async () => (await open.ask("a.example")) === "moved");
});
