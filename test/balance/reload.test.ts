// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { start } from "./lib/balance.ts";
import { blackHole, connect, exchange, freePort, named, readAll, readLine } from "./lib/net.ts";
import { until } from "./lib/until.ts";

test("open connections and counters stay; what left the configuration drains and vanishes", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const port = await freePort();
  const conf = (channels: string): string => `hash ${"cafe"}
     workers 2
     listen l tcp:127.0.0.1:${port}
     pool p ${channels}
     route l * p`;
  const balance = await start(t, conf(`${a.address} ${b.address}`));
  const sockets = [connect(t, port), connect(t, port)];
  assert.deepEqual((await Promise.all(sockets.map((s) => readLine(s)))).sort(), ["a", "b"]);
  const before = await balance.channels("p");
  assert.deepEqual(
    before.map((ch) => [ch.active, ch.total, ch.bytes_out]),
    [
      [1, 1, 2],
      [1, 1, 2],
    ],
  );
  assert.deepEqual(await balance.reload(conf(b.address)), { ok: true, generation: 2, hash: "cafe" });
  const status = await balance.status();
  assert.ok(status.workers.every((w) => w.generation === 2 && w.restarts === 0));
  assert.deepEqual(await balance.channels("p"), [before[1]]);
  const draining = (await balance.pools()).filter((p) => p.draining);
  assert.deepEqual(draining, [
    { pool: "p", draining: [{ ...before[0], max: 0, state: "draining", weight: 0 }] },
  ]);
  for (const socket of sockets) {
    socket.write("still here\n");
    assert.equal(await readLine(socket), "still here");
  }
  for (let i = 0; i < 6; i++) assert.equal(await exchange(port), "b\n");
  for (const socket of sockets) socket.destroy();
  await until("the removed channel vanishes", async () => (await balance.pools()).every((p) => !p.draining));
  // Back again, it goes on or begins anew, but it serves.
  await balance.reload(conf(a.address));
  assert.equal(await exchange(port), "a\n");
});

test("a bad file is refused with line and reason, and the old configuration serves on", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const good = `workers 2
listen l tcp:127.0.0.1:${port}
pool p ${a.address}
route l * p`;
  const balance = await start(t, good);
  const bad: [string, RegExp][] = [
    [`${good}\nroute l * q`, /balance\.conf:6: route: no pool "q"/],
    [`${good}\nbogus`, /balance\.conf:6: unknown directive "bogus"/],
    [good.replace("workers 2", "workers 3"), /workers cannot change from 2 to 3/],
    [good.replace("workers 2", ""), /workers cannot change/],
    ["", /no listen directive/],
    [`${good}\n\0`, /balance\.conf:6: byte 0x00 in column 1/],
  ];
  for (const [text, reason] of bad) {
    const answer = await balance.reload(text);
    assert.equal(answer.ok, false);
    assert.match(String(answer.error), reason);
    assert.match(String((await balance.status()).last_error), reason);
    assert.equal(await exchange(port, "x"), "a\nx");
  }
  const other = `control unix:${balance.control}2\n${good}`;
  writeFileSync(balance.file, other);
  assert.match(String((await balance.reload()).error), /control socket cannot change/);
  rmSync(balance.file);
  assert.match(String((await balance.reload()).error), /No such file/);
  const status = await balance.status();
  assert.deepEqual([status.generation, status.reloads.ok, status.reloads.failed], [1, 0, bad.length + 2]);
  assert.equal((await balance.reload(good)).ok, true);
  assert.equal((await balance.status()).last_error, null);
});

test("new listeners open, old ones close, and one address in use refuses all of it", async (t) => {
  const a = await named(t, "a");
  const [one, two, three] = [await freePort(), await freePort(), await freePort()];
  const unix = path.join("/tmp", `balance-reload-${process.pid}.sock`);
  const conf = (...listeners: string[]): string =>
    [
      ...listeners.map((l, i) => `listen l${i} ${l}`),
      `pool p ${a.address}`,
      ...listeners.map((_, i) => `route l${i} * p`),
    ].join("\n");
  const balance = await start(t, conf(`tcp:127.0.0.1:${one}`));
  const held = connect(t, one);
  assert.equal(await readLine(held), "a");
  assert.equal((await balance.reload(conf(`tcp:127.0.0.1:${two}`, `unix:${unix}`))).ok, true);
  assert.equal(await exchange(two, "x"), "a\nx");
  assert.equal(await exchange(unix, "x"), "a\nx");
  await assert.rejects(new Promise((ok, no) => connect(t, one).once("connect", ok).once("error", no)));
  held.write("on\n");
  assert.equal(await readLine(held), "on");

  const taken = net.createServer().listen(three, "127.0.0.1");
  t.after(() => taken.close());
  const unix2 = `${unix}2`;
  const answer = await balance.reload(
    conf(`tcp:127.0.0.1:${one}`, `unix:${unix2}`, `tcp:127.0.0.1:${three}`),
  );
  assert.match(
    String(answer.error),
    new RegExp(`listen l2 tcp:127.0.0.1:${three}: bind: Address already in use`),
  );
  assert.equal(await exchange(two, "x"), "a\nx");
  await assert.rejects(new Promise((ok, no) => connect(t, one).once("connect", ok).once("error", no)));
  assert.equal(existsSync(unix2), false, "a refused reload leaves no socket file behind");

  // Names change places, sockets stay: what is on an address is decided by the new file.
  assert.equal((await balance.reload(conf(`unix:${unix}`, `tcp:127.0.0.1:${two}`))).ok, true);
  assert.equal(await exchange(two, "x"), "a\nx");
  assert.equal(await exchange(unix, "x"), "a\nx");
  assert.equal((await balance.reload(conf(`tcp:127.0.0.1:${two}`))).ok, true);
  assert.equal(existsSync(unix), false);
});

test("a hundred reloads under traffic: no connection fails", { timeout: 60_000 }, async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const [port, extra] = [await freePort(), await freePort()];
  const unix = path.join("/tmp", `balance-hundred-${process.pid}.sock`);
  const conf = (i: number): string => `workers 3
     listen l tcp:127.0.0.1:${port}
     listen u unix:${unix}
     ${i % 2 ? `listen x tcp:127.0.0.1:${extra}` : ""}
     pool p ${i % 3 === 0 ? a.address : i % 3 === 1 ? `${b.address}:1000` : `${a.address} ! ${b.address}`}
     pool q${i} ${a.address} ${b.address} %
     route l * p
     route u * q${i}`;
  const balance = await start(t, conf(0));
  const before = (await balance.workers()).map((pid) => pid);
  let over = false;
  let served = 0;
  const client = async (target: number | string): Promise<void> => {
    while (!over) {
      assert.match(await exchange(target, "payload"), /^[ab]\npayload$/);
      served += 1;
    }
  };
  const steady = connect(t, port);
  await readLine(steady);
  const clients = [client(port), client(unix), client(port), client(unix)];
  for (let i = 1; i <= 100; i++) assert.equal((await balance.reload(conf(i))).ok, true);
  over = true;
  await Promise.all(clients);
  steady.write("still\n");
  assert.equal(await readLine(steady), "still");
  assert.ok(served > 100, String(served));
  const status = await balance.status();
  assert.deepEqual([status.generation, status.reloads.ok, status.reloads.failed], [101, 100, 0]);
  assert.deepEqual(await balance.workers(), before);
  assert.ok(status.listeners.every((l) => l.no_channel === 0 && l.no_route === 0));
  steady.end();
  await readAll(steady);
});

test("a reload while a connect is on its way takes the pool of the new file", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const hole = await blackHole(t);
  const conf = (channels: string): string =>
    `listen l tcp:127.0.0.1:${port}\npool p -t 1 ${channels}\nroute l * p`;
  const balance = await start(t, conf(`${hole} ${hole}`));
  const socket = connect(t, port);
  socket.write("waited\n");
  await until("it is connecting", async () => (await balance.channels("p")).some((ch) => ch.active > 0));
  assert.equal((await balance.reload(conf(a.address))).ok, true);
  assert.equal(await readLine(socket), "a");
  assert.equal(await readLine(socket), "waited");
});
