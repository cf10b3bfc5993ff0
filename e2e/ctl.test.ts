// SPDX-License-Identifier: Apache-2.0
/** `evener ctl` beside `evener run`: what somebody changes live stays while the cluster changes around it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { execa } from "execa";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { fetchBody } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeEndpoints, makeIngress, makeService } from "./lib/manifests.ts";

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");

test("a drained and a disabled endpoint stay so through the controller's reloads; who follows sees them", async (t) => {
  const pods = await Promise.all(["a", "b", "c", "d"].map((name) => startBackend(t, name)));
  const [a, b, c, d] = pods.map(({ port }) => port) as [number, number, number, number];
  const frame = [makeService("web"), makeIngress("web", "web.example")];
  const evener = await Evener.start(t, { web: [...frame, ...makeEndpoints("web", [a, b, c])] });
  const ctl = (...args: string[]) =>
    execa(process.execPath, [MAIN, "ctl", ...args, "--run-dir", evener.runDir], { reject: false });
  const get = () => fetchBody("http", "web.example", evener.httpPort, "/.well-known/acme-challenge/x");
  const names = async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 12; i++) seen.add(await get());
    return [...seen].sort().join("");
  };
  assert.equal(await names(), "abc");

  const following = execa(process.execPath, [MAIN, "ctl", "follow", "--run-dir", evener.runDir], {
    reject: false,
  });
  let events = "";
  following.stdout.on("data", (chunk: Buffer) => {
    events += chunk.toString();
  });
  await eventually("somebody follows", async () => {
    await ctl("reset");
    return events.includes("reset");
  });
  const drained = await ctl("channel", "default/web:80", `127.0.0.1:${a}`, "drain");
  assert.equal(drained.exitCode, 0, drained.stderr);
  assert.equal((await ctl("channel", "default/web:80", `127.0.0.1:${b}`, "disable")).exitCode, 0);
  assert.equal(await names(), "c");

  // The controller renders all of them anew, and knows nothing of it.
  const reloads = evener.countReloads("balance");
  await evener.put("web", [...frame, ...makeEndpoints("web", [a, b, c, d])]);
  await eventually("the new endpoint answers", async () => (await names()) === "cd", 10_000);
  assert.ok(evener.countReloads("balance") > reloads);
  const table = (await ctl("pools", "default/web:80")).stdout;
  assert.match(table, new RegExp(`127\\.0\\.0\\.1:${a} +draining +0 `));
  assert.match(table, new RegExp(`127\\.0\\.0\\.1:${b} +disabled +1 `));

  assert.equal((await ctl("channel", "default/web:80", `127.0.0.1:${a}`, "enable")).exitCode, 0);
  await eventually("it answers again", async () => (await names()) === "acd", 10_000);
  await eventually(
    "all of it was told",
    () => / reload .*generation=/.test(events) && events.includes("draining -> up"),
  );
  following.kill("SIGINT");
  assert.equal((await following).exitCode, 0);

  const status = await ctl("status", "-o", "json");
  assert.equal(JSON.parse(status.stdout).pid, evener.childPid("balance"));
  assert.equal((await ctl("http")).exitCode, 0);
  assert.equal(await evener.stop(), 0);
  const ended = await ctl("status");
  assert.equal(ended.exitCode, 69);
  assert.match(ended.stderr, /control socket .*control\.sock/);
});
