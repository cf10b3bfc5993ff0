// SPDX-License-Identifier: Apache-2.0
// Channels and groups. What a case is named after: lib/balance.ts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";
import test from "node:test";
import { blackHole, freePort, named } from "../balance/lib/net.ts";
import { until } from "../balance/lib/until.ts";
import { hold, nobody, run, start } from "./lib/balance.ts";

test("manual: two or more channels in a group are used in turn", async (t) => {
  const [a, b, c] = [await named(t, "a"), await named(t, "b"), await named(t, "c")];
  const balance = await start(t, [], [a.address, b.address, c.address]);
  const seen = new Map<string, number>();
  for (let i = 0; i < 9; i++) {
    const who = await balance.ask();
    seen.set(who, (seen.get(who) ?? 0) + 1);
  }
  assert.deepEqual([...seen].sort(), [
    ["a", 3],
    ["b", 3],
    ["c", 3],
  ]);
});

test("manual: when no channel of a group is available, the next group is tried", async (t) => {
  const c = await named(t, "c");
  const balance = await start(t, [], [await nobody(), await nobody(), "!", await nobody(), "!", c.address]);
  for (let i = 0; i < 4; i++) assert.equal(await balance.ask(), "c");
});

test("manual: a higher group is not used while a lower one answers", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, "!", b.address]);
  for (let i = 0; i < 6; i++) assert.equal(await balance.ask(), "a");
  await a.close();
  assert.equal(await balance.ask(), "b");
});

test("manual: failover happens when a channel refuses the connection", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [await nobody(), a.address]);
  for (let i = 0; i < 4; i++) assert.equal(await balance.ask(), "a");
});

test("manual: failover happens when the connect timeout (-t) is reached", async (t) => {
  const a = await named(t, "a");
  const hole = await blackHole(t);
  const balance = await start(t, ["-t", "1"], [hole, "!", a.address]);
  const before = Date.now();
  assert.equal(await balance.ask(), "a");
  const took = Date.now() - before;
  assert.ok(took >= 900 && took < 4500, `${took} ms`);
});

test("manual: the connect timeout is 5 seconds when nothing is said", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [await blackHole(t), "!", a.address]);
  const before = Date.now();
  assert.equal(await balance.ask(), "a");
  const took = Date.now() - before;
  assert.ok(took >= 4500 && took < 8000, `${took} ms`);
});

test("manual: a client is accepted and then closed when every channel fails", async (t) => {
  const balance = await start(t, [], [await nobody(), "!", await nobody()]);
  assert.equal(await balance.ask(), "");
  assert.equal(await balance.ask(), "");
});

test("manual: % makes the group before it one that hashes the client's address", async (t) => {
  const pods = [await named(t, "a"), await named(t, "b"), await named(t, "c"), await named(t, "d")];
  const balance = await start(t, [], [...pods.map((p) => p.address), "%"]);
  const chosen = new Set<string>();
  for (let host = 1; host <= 24; host++) {
    const from = `127.0.0.${host}`;
    const first = await balance.ask(from);
    assert.notEqual(first, "");
    assert.equal(await balance.ask(from), first, "the same client, the same server");
    chosen.add(first);
  }
  assert.ok(chosen.size > 1, "different clients do not all get the same server");
});

test("manual: -H fails over to the next channel even in a hash group", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, ["-H"], [await nobody(), a.address, "%"]);
  for (let host = 1; host <= 12; host++) assert.equal(await balance.ask(`127.0.0.${host}`), "a");
});

test("manual: without -H a hash group has no other channel for a client", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [await nobody(), a.address, "%"]);
  const seen = new Set<string>();
  for (let host = 1; host <= 24; host++) seen.add(await balance.ask(`127.0.0.${host}`));
  assert.deepEqual([...seen].sort(), ["", "a"]);
});

test("manual: maxc is how many connections a channel has at most at a time; further ones go to the next group", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [`${a.address}:2`, "!", b.address]);
  const held = [await hold(t, balance.port), await hold(t, balance.port), await hold(t, balance.port)];
  assert.deepEqual(
    held.map((h) => h.said),
    ["a", "a", "b"],
  );
  held[0]?.socket.destroy();
  await until("the place is free again", async () => (await balance.ask()) === "a");
});

test("manual: with one channel of maxc 1, connections are served one at a time", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [`${a.address}:1`]);
  const first = await hold(t, balance.port);
  assert.equal(first.said, "a");
  assert.equal(await balance.ask(), "");
  first.socket.destroy();
  await until("the place is free again", async () => (await balance.ask()) === "a");
});

test("manual: a maxc of 0 means no limit", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [`${a.address}:0`]);
  const held = await Promise.all(Array.from({ length: 30 }, () => hold(t, balance.port)));
  assert.ok(held.every((h) => h.said === "a"));
});

test("manual: the same destination may be listed more than once, each time as a channel of its own", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [`${a.address}:1`, `${a.address}:1`]);
  const held = [await hold(t, balance.port), await hold(t, balance.port), await hold(t, balance.port)];
  assert.deepEqual(
    held.map((h) => h.said),
    ["a", "a", ""],
  );
});

test("manual: a destination without a port means the port balance itself listens on", async (t) => {
  const balance = await start(t, [], ["127.0.0.2", "127.0.0.3::4"]);
  const shown = await balance.show();
  assert.deepEqual(
    shown.map((r) => [r.address, r.port, r.max]),
    [
      ["127.0.0.2", balance.port, 0],
      ["127.0.0.3", balance.port, 4],
    ],
  );
});

test("manual: hosts may be names, and ports names of services", async (t) => {
  const balance = await start(t, [], ["localhost:smtp", "127.0.0.1:imap2:3"]);
  const shown = await balance.show();
  assert.deepEqual(
    shown.map((r) => [r.address, r.port, r.max]),
    [
      ["127.0.0.1", 25, 0],
      ["127.0.0.1", 143, 3],
    ],
  );
});

test("manual: groups may be of both kinds, each tried in its turn", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, ["-H"], [await nobody(), await nobody(), "%", a.address, "!", b.address]);
  assert.deepEqual(
    (await balance.show()).map((r) => r.type),
    ["hash", "hash", "rr", "rr"],
  );
  for (let host = 1; host <= 4; host++) assert.equal(await balance.ask(`127.0.0.${host}`), "a");
  await a.close();
  assert.equal(await balance.ask(), "b");
});

test("ours alone: a channel may be an IPv6 address", {
  skip: !existsSync("/proc/net/if_inet6"),
}, async (t) => {
  const server = net.createServer((socket) => socket.end("six\n")).listen(0, "::1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const balance = await start(t, [], ["127.0.0.1:1", "!", "127.0.0.1:1"]);
  if (!/Evener/.test((await balance.command("version")).out)) return t.skip("another program");
  const six = await start(t, [], [`[::1]:${port}:3`]);
  assert.equal(await six.ask(), "six");
  assert.deepEqual(
    (await six.show()).map((r) => [r.address, r.port, r.max]),
    [["::1", port, 3]],
  );
});

test("manual: data goes both ways unchanged", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  const { said, socket } = await hold(t, balance.port);
  assert.equal(said, "a");
  const sent = Buffer.alloc(300_000, "0123456789abcdef\0\xff", "latin1");
  let got = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
  });
  socket.resume();
  socket.write(sent);
  await until("everything came back", () => got.length >= sent.length);
  assert.ok(got.equals(sent));
});

test("convention (sysexits): no port, no channel or an unknown option end with status 64 and the usage", async () => {
  const port = String(await freePort());
  for (const args of [[], [port], ["-Z", port, "127.0.0.1"]]) {
    const { code, out, err } = await run(args);
    assert.equal(code, 64, args.join(" "));
    assert.match(out + err, /usage/i);
  }
});

test("convention (sysexits): a host that does not exist ends with a status from 64 to 78", async () => {
  const { code } = await run(["-f", String(await freePort()), "no-such-host.invalid:80"]);
  assert.ok(code !== null && code >= 64 && code <= 78, String(code));
});
