// SPDX-License-Identifier: Apache-2.0
/** The inspection page and `evener status` beside a real Evener. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chown, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { execa } from "execa";
import { eventually } from "../test/fixtures/eventually.ts";
import { Evener } from "./lib/evener.ts";
import { ask, startInspected } from "./lib/inspected.ts";

const MAIN = join(import.meta.dirname, "../src/cli/main.ts");
const product = join(import.meta.dirname, "../dist");
const PAGES = ["/", "/routes", "/certificates", "/pools", "/problems", "/reloads", "/files"];

test("the page shows what is served, what is wrong and what changed; no key, no markup of a user's", async (t) => {
  const { evener, port, keys, grow } = await startInspected(t);
  await grow();
  const pages = new Map<string, string>();
  for (const path of [...PAGES, "/inspection.json", "/files/hitch.conf", "/files/balance.conf"]) {
    const { status, text } = await ask(port, path);
    assert.equal(status, 200, path);
    pages.set(path, text);
    assert.doesNotMatch(text, /PRIVATE KEY|<img/, path);
    for (const key of keys) {
      for (const line of key.split("\n").filter((one) => one.length > 40 && !one.includes("-----")))
        assert.equal(text.includes(line), false, path);
    }
  }
  const page = (path: string) => pages.get(path) ?? "";
  assert.match(page("/"), /Yes|yes/);
  assert.match(page("/routes"), /shop\.example/);
  assert.match(page("/routes"), /\*\.wild\.example[\s\S]*only from 127\.0\.0\.0\/8/);
  assert.match(page("/routes"), /raw\.example[\s\S]*>tcp</);
  assert.match(page("/certificates"), /default\/wild-tls/);
  assert.match(page("/pools"), />ejected</);
  assert.match(page("/pools"), /least-connections/);
  assert.match(page("/problems"), /Ingress default\/odd/);
  // The path of Handlebars' own syntax through a value is the same as any other text's.
  assert.match(page("/problems"), /&lt;img/);
  assert.match(page("/reloads"), /endpoints[\s\S]*>ok</);
  assert.match(page("/files"), /<ins>\+.*127\.0\.0\.1:\d+/);
  assert.equal(page("/files/balance.conf"), await evener.readRunFile("balance.conf"));

  const seen = JSON.parse(page("/inspection.json"));
  assert.deepEqual(seen.missing, []);
  assert.deepEqual(
    seen.children.map(({ name, phase, current }: Record<string, unknown>) => [name, phase, current]).sort(),
    [
      ["balance", "ready", true],
      ["hitch", "ready", true],
    ],
  );
  const [last] = seen.reloads;
  assert.equal(last.child, "balance");
  assert.equal(last.result, "ok");
});

test("who may read: addresses, localhost and given names as Host; GET and HEAD; no other site", async (t) => {
  const { evener, port } = await startInspected(t);
  for (const host of [`127.0.0.1:${port}`, "localhost", "[::1]:9", "evener.test", "EVENER.TEST:80"])
    assert.equal((await ask(port, "/", { host })).status, 200, host);
  for (const host of ["rebound.example", "localhost.example", "127.0.0.1.example", "evener.test.", "a b"])
    assert.notEqual((await ask(port, "/inspection.json", { host })).status, 200, host);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    assert.equal((await ask(port, "/", {}, method)).status, 405, method);
  const foreign = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
  assert.equal((await ask(port, "/inspection.json", foreign)).status, 403);
  assert.equal((await ask(port, "/", { ...foreign, "sec-fetch-mode": "navigate" })).status, 200);
  const { headers, text } = await ask(port, "/pools", { origin: "https://elsewhere.example" }, "HEAD");
  assert.equal(text, "");
  assert.ok(Number(headers["content-length"]) > 0);
  assert.equal(
    Object.keys(headers).some((name) => name.startsWith("access-control-")),
    false,
  );
  assert.match(String(headers["content-security-policy"]), /^default-src 'none'; /);
  for (const path of [
    "/files/../../etc/passwd",
    "/files/%2e%2e%2fhitch.conf",
    "/files/%ff",
    "/nothing",
    "//routes",
  ])
    assert.equal((await ask(port, path)).status, 404, path);
  // Filters and pages by the server alone.
  assert.doesNotMatch((await ask(port, "/routes?q=SHOP.example")).text, /raw\.example/);
  assert.match(
    (await ask(port, `/routes?q=${encodeURIComponent('"><script>')}`)).text,
    /No row has that in it/,
  );
  assert.doesNotMatch((await ask(port, `/routes?q=${encodeURIComponent('"><script>')}`)).text, /"><script>/);
  // The health port has nothing of it.
  assert.equal((await evener.get("/inspection.json")).status, 404);
});

test("without the flag there is no page, and evener status works all the same", async (t) => {
  const evener = await Evener.start(t, {});
  const status = (...args: string[]) =>
    execa(process.execPath, [MAIN, "status", ...args, "--run-dir", evener.runDir], { reject: false });
  assert.equal(
    evener.log.some(({ msg }) => msg === "inspection page open"),
    false,
  );
  assert.equal((await stat(join(evener.runDir, "inspect.sock"))).mode & 0o777, 0o600);
  const overview = await status();
  assert.equal(overview.exitCode, 0, overview.stderr);
  assert.match(overview.stdout, /Ready +yes/);
  assert.match(overview.stdout, /hitch +ready +\d+ +newest/);
  assert.match((await status("routes")).stdout, /No host is served/);
  assert.match((await status("certificates")).stdout, /\(generated\) +ok/);
  assert.equal((await status("nothing")).exitCode, 64);
  assert.equal(await evener.stop(), 0);
  const ended = await status();
  assert.equal(ended.exitCode, 69);
  assert.match(ended.stderr, /inspect\.sock/);
});

test("evener status says the same as the page, and by its exit status whether all is well", async (t) => {
  const { evener, port, grow } = await startInspected(t);
  const status = (...args: string[]) =>
    execa(process.execPath, [MAIN, "status", ...args, "--run-dir", evener.runDir], { reject: false });
  await grow();
  const json = await status("-o", "json");
  assert.equal(json.exitCode, 0, json.stderr);
  const { at: _at, balance: _balance, pools: _pools, ...mine } = JSON.parse(json.stdout);
  const { at: _, balance: _b, pools: _p, ...page } = JSON.parse((await ask(port, "/inspection.json")).text);
  assert.deepEqual(mine, page);
  // An object with an error: well enough, unless somebody wants it strictly.
  assert.equal((await status("problems")).exitCode, 0);
  assert.equal((await status("--strict")).exitCode, 1);
  assert.match(
    (await status("routes")).stdout,
    /^shop\.example +\/\* +http +default\/shop:80\S* +default\/shop-tls /m,
  );
  assert.match((await status("files")).stdout, /^\+.*127\.0\.0\.1:\d+/m);
  assert.match((await status("reloads")).stdout, /balance +endpoints +ok/);
  const { stdout } = await status("problems");
  assert.doesNotMatch(stdout, /[^\x20-\x7e\n]/);

  // A Balance that hangs: no live figures, and the rest as it was rendered.
  process.kill(evener.childPid("balance"), "SIGSTOP");
  // What was asked a moment ago is not asked again.
  const hung = await eventually("the hang shows", async () => {
    const seen = JSON.parse((await status("-o", "json")).stdout);
    return seen.balanceError === undefined ? undefined : seen;
  });
  process.kill(evener.childPid("balance"), "SIGCONT");
  assert.match(hung.balanceError, /no answer from Balance/);
  assert.equal(hung.balance, undefined);
  const [pool] = hung.pools;
  assert.equal(pool.groups[0].channels[0].state, undefined);
  assert.ok(hung.routes.length > 0);

  // One that dies is another process afterwards.
  process.kill(evener.childPid("balance"), "SIGKILL");
  await eventually("it is started again", async () => {
    const { stdout: text } = await status("-o", "json");
    return JSON.parse(text).children.some(
      ({ name, phase, pid }: Record<string, unknown>) =>
        name === "balance" && phase === "ready" && pid === evener.childPid("balance"),
    );
  });
});

test("a configuration that Hitch refuses: the page says what serves, evener status says that all is not well", {
  skip: process.getuid?.() === 0 ? false : "the children are told apart from the controller only as root",
}, async (t) => {
  const { evener, port, renew } = await startInspected(t);
  const status = () =>
    execa(process.execPath, [MAIN, "status", "--run-dir", evener.runDir], { reject: false });
  const certs = join(evener.runDir, "certs");
  const { uid, gid } = await stat(certs);
  // Hitch can't read what the controller writes there now.
  await chown(certs, 0, 0);
  await renew();
  await evener.waitLog("the problem", ({ reason }) => reason === "ConfigurationRefused");
  const { exitCode, stdout } = await status();
  assert.equal(exitCode, 1, stdout);
  assert.match(stdout, /Ready +yes/);
  assert.match(stdout, /hitch +ready +\d+ +older/);
  assert.match(stdout, /error +ConfigurationRefused/);
  const files = (await ask(port, "/files")).text;
  assert.match(files, /not live<\/span> This text was rendered/);
  assert.match(files, /<ins>\+pem-file/);
  assert.match((await ask(port, "/reloads")).text, /hitch[\s\S]*certificates[\s\S]*>refused</);
  await chown(certs, uid, gid);
  await eventually("all is well again", async () => (await status()).exitCode === 0, 30_000);
});

test("the product has all of it: pages, style, script, evener status, the plugin", {
  skip: existsSync(join(product, "lib/evener.mjs")) ? false : "dist is not built",
}, async (t) => {
  const { evener, port } = await startInspected(t, { product: true });
  for (const path of [...PAGES, "/style.css", "/script.js", "/icon.svg"])
    assert.equal((await ask(port, path)).status, 200, path);
  const { stdout } = await execa(join(product, "bin/evener"), [
    "status",
    "routes",
    "--run-dir",
    evener.runDir,
  ]);
  assert.match(stdout, /shop\.example/);
  assert.match((await execa(join(product, "bin/kubectl-evener"), ["--help"])).stdout, /kubectl evener/);
});
