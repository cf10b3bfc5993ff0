// SPDX-License-Identifier: Apache-2.0
// Options. What a case is named after: lib/balance.ts.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";
import test from "node:test";
import { freePort, named, pod, readAll } from "../balance/lib/net.ts";
import { until } from "../balance/lib/until.ts";
import { ask, hold, Instance, nobody, run, start } from "./lib/balance.ts";

const v6 = existsSync("/proc/net/if_inet6");

test("manual: balance runs in the background unless told otherwise", async (t) => {
  const a = await named(t, "a");
  const instance = new Instance(await freePort());
  t.after(() => instance.command("kill"));
  const { code } = await run([String(instance.port), a.address]);
  assert.equal(code, 0);
  await until("it serves", async () => (await instance.ask()) === "a");
  assert.equal((await instance.show()).length, 1);
  await instance.command("kill");
  await until("it is gone", async () => (await instance.ask()) === "");
});

test("manual: -f stays in the foreground and an interrupt ends it", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  assert.equal(balance.child?.exitCode, null);
  balance.child?.kill("SIGINT");
  await until("it ends", () => balance.child?.exitCode !== null || balance.child?.signalCode !== null);
  assert.equal(await balance.ask(), "");
});

test("manual: -b binds to one address only", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address], ["-b", "127.0.0.2"]);
  assert.equal(await ask({ port: balance.port, host: "127.0.0.2" }), "a");
  assert.equal(await ask({ port: balance.port, host: "127.0.0.1" }), "");
});

test("manual: without -b every address is listened on", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address], []);
  for (const host of ["127.0.0.1", "127.0.0.9"]) assert.equal(await ask({ port: balance.port, host }), "a");
});

test("manual: -b takes a name", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address], ["-b", "localhost"]);
  await until("it serves", async () => (await balance.ask()) === "a");
});

test("manual: -b takes an IPv6 address, with IPv4 channels behind it", { skip: !v6 }, async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address], ["-b", "::1"]);
  assert.equal(await ask({ port: balance.port, host: "::1" }), "a");
  assert.equal(await ask({ port: balance.port, host: "127.0.0.1" }), "");
});

test("manual: -b takes an IPv4 address in IPv6 notation", { skip: !v6 }, async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address], ["-b", "::ffff:127.0.0.1"]);
  assert.equal(await ask({ port: balance.port, host: "127.0.0.1" }), "a");
});

test("manual: -6 binds to an IPv6 socket", { skip: !v6 }, async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, ["-6"], [a.address], []);
  assert.equal(await ask({ port: balance.port, host: "::1" }), "a");
});

test("manual: -B is the address that connections to the channels come from", async (t) => {
  const a = await pod(t, (socket) => socket.end(`${socket.remoteAddress}\n`));
  const balance = await start(t, ["-B", "127.0.0.77"], [a.address]);
  assert.equal(await balance.ask(), "127.0.0.77");
});

test("manual: with -a a channel that failed has to be enabled by hand", async (t) => {
  const port = await freePort();
  const b = await named(t, "b");
  const balance = await start(t, ["-a"], [`127.0.0.1:${port}`, "!", b.address]);
  assert.equal((await balance.row(0, 0)).state, "ena");
  assert.equal(await balance.ask(), "b");
  await until("the channel is disabled", async () => (await balance.row(0, 0)).state === "dis");
  await named(t, "a", port);
  assert.equal(await balance.ask(), "b");
  await balance.command("enable 0");
  assert.equal(await balance.ask(), "a");
});

test("manual: without -a a channel is used again as soon as it answers", async (t) => {
  const port = await freePort();
  const b = await named(t, "b");
  const balance = await start(t, [], [`127.0.0.1:${port}`, "!", b.address]);
  assert.equal(await balance.ask(), "b");
  assert.equal((await balance.row(0, 0)).state, "ena");
  await named(t, "a", port);
  assert.equal(await balance.ask(), "a");
});

test("manual: -d writes tracing to standard error", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, ["-d"], [a.address]);
  await balance.ask();
  await until("something was said", () => balance.err !== "");
});

test("manual: -p prints the data of both directions on standard output, readably", async (t) => {
  const a = await pod(t, (socket) => {
    socket.once("data", () => socket.end("Answer"));
  });
  const balance = await start(t, ["-p"], [a.address]);
  const { socket } = { socket: net.connect(balance.port, "127.0.0.1") };
  socket.write("Question");
  assert.equal(await readAll(socket), "Answer");
  await until("both were printed", () => /Question/.test(balance.out) && /Answer/.test(balance.out));
});

test("manual: -T is how long nothing may come; then the connection is closed", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, ["-T", "1"], [a.address]);
  const { said, socket } = await hold(t, balance.port);
  assert.equal(said, "a");
  const before = Date.now();
  await readAll(socket);
  const took = Date.now() - before;
  assert.ok(took > 700 && took < 6000, `${took} ms`);
});

test("manual: -T is not in force unless it is given", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  const { said, socket } = await hold(t, balance.port);
  assert.equal(said, "a");
  let ended = false;
  socket.once("close", () => {
    ended = true;
  });
  socket.resume();
  // As long as the case above waits for a timeout of a second.
  await new Promise((done) => setTimeout(done, 1500));
  assert.equal(ended, false);
});

test("manual: the port may be the name of a service", async (t) => {
  const a = await named(t, "a");
  const service = await freeService();
  const child = new Instance(service.port, ["-b", "127.0.0.1"], service.name);
  t.after(() => child.stop());
  await child.start([], [a.address]);
  assert.equal(await child.ask(), "a");
  // The same instance, by number.
  assert.equal((await new Instance(service.port, ["-b", "127.0.0.1"]).show()).length, 1);
});

test("manual: -M changes how memory is shared and nothing a client sees", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, ["-M"], [a.address], ["-M", "-b", "127.0.0.1"]);
  assert.equal(await balance.ask(), "a");
  assert.equal((await balance.show()).length, 1);
});

/** A TCP service of /etc/services with a port that anybody may open and nobody has. */
async function freeService(): Promise<{ name: string; port: number }> {
  for (const line of readFileSync("/etc/services", "utf8").split("\n")) {
    const [, name = "", port = ""] = /^([a-z][a-z0-9-]*)\s+(\d+)\/tcp/.exec(line) ?? [];
    if (Number(port) > 1024 && (await isFree(Number(port)))) return { name, port: Number(port) };
  }
  throw new Error("/etc/services has no TCP service with a free port");
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  const free = await new Promise<boolean>((done) => {
    server.once("error", () => done(false)).listen(port, "127.0.0.1", () => done(true));
  });
  if (free) await new Promise((done) => server.close(done));
  return free;
}

test("convention (getopt): options may stand together, as in -fHa", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, ["-Ha"], [await nobody(), a.address, "%"]);
  assert.equal(await balance.ask(), "a");
});

test("convention (sysexits): a port that is taken ends with a status from 64 to 78, and the one who has it goes on", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  const second = await run(["-b", "127.0.0.1", "-f", String(balance.port), a.address]);
  assert.ok(second.code !== null && second.code >= 64 && second.code <= 78, String(second.code));
  assert.equal(await balance.ask(), "a");
  assert.equal((await balance.show()).length, 1);
});
