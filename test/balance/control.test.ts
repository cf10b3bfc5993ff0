// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, start } from "./lib/balance.ts";
import { connect, freePort, readAll, readLine } from "./lib/net.ts";
import { until } from "./lib/until.ts";

async function conf(pools = 1): Promise<string> {
  const lines = [`listen l tcp:127.0.0.1:${await freePort()}`];
  for (let i = 0; i < pools; i++) lines.push(`pool p${i} 10.0.0.1:80 10.0.0.2:80:7 ! [fd00::1]:80 %`);
  return lines.join("\n");
}

test("answers in the documented shape, several commands on one connection", async (t) => {
  const balance = await start(t, `hash a"b\\\n${await conf()}`);
  assert.equal(statSync(balance.control).mode & 0o777, 0o600);
  const socket = connect(t, balance.control);
  socket.write("status\r\npools\nnonsense\n\nstatus\n");
  const status = JSON.parse(await readLine(socket));
  assert.equal(status.hash, 'a"b\\');
  assert.equal(status.pid, balance.child.pid);
  assert.ok(status.uptime >= 0 && status.generation === 1 && status.last_error === null);
  assert.deepEqual(Object.keys(status.workers[0]).sort(), ["connections", "generation", "pid", "restarts"]);
  const pool = JSON.parse(await readLine(socket));
  assert.equal(pool.pool, "p0");
  assert.deepEqual(
    pool.groups.map((g: { mode: string; channels: { channel: string; max: number }[] }) => [
      g.mode,
      g.channels.map((ch) => [ch.channel, ch.max]),
    ]),
    [
      [
        "rr",
        [
          ["10.0.0.1:80", 0],
          ["10.0.0.2:80", 7],
        ],
      ],
      ["hash", [["[fd00::1]:80", 0]]],
    ],
  );
  assert.deepEqual(JSON.parse(await readLine(socket)), { ok: true, pools: 1 });
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(JSON.parse(await readLine(socket)), { ok: false, error: "unknown command" });
  }
  assert.equal(JSON.parse(await readLine(socket)).ok, true);
});

test("what is no command is refused with the reason: a NUL, a control byte, a word too many, a line too long", async (t) => {
  const balance = await start(t, await conf());
  const refused: [string, RegExp][] = [
    ["status\0", /byte 0x00 in column 7/],
    ["status\0 and more", /byte 0x00/],
    ["cli 0 version\0", /byte 0x00/],
    ["cli 0 version", /unknown command/],
    ["stat\x1bus", /byte 0x1b/],
    ["status now", /unexpected "now"/],
    ["pools nobody", /there is no pool nobody/],
    ["top none", /"none" is not a number of pools/],
    ["channel p0", /channel wants POOL HOST:PORT/],
    ["channel p0 10.0.0.1 drain", /"10.0.0.1" is not HOST:PORT/],
    ["channel p0 10.0.0.1:80 explode", /"explode" is none of/],
    ["channel p0 10.0.0.1:80 weight=257", /is not a weight from 0 to 256/],
    ["channel nobody 10.0.0.1:80 drain", /there is no pool nobody/],
    ["channel p0 10.0.0.9:80 drain", /there is no channel 10.0.0.9:80 in pool p0/],
  ];
  for (const [line, why] of refused) {
    const [answer] = await ask(balance.control, line);
    assert.equal(answer?.ok, false, line);
    assert.match(String(answer?.error), why, line);
  }
  const long = connect(t, balance.control);
  long.write("x".repeat(1024));
  assert.deepEqual(JSON.parse(await readAll(long)), { ok: false, error: "the line is too long" });
});

test("who finds every place taken is told so", async (t) => {
  const balance = await start(t, await conf());
  const idle = Array.from({ length: 32 }, () => connect(t, balance.control));
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  const late = connect(t, balance.control);
  assert.deepEqual(JSON.parse(await readLine(late)), { ok: false, error: "too many clients" });
  idle[0]?.destroy();
  await until("a place is free", async () => (await balance.status()).ok);
});

test("garbage and a line without end do no harm", async (t) => {
  const balance = await start(t, await conf());
  const garbage = connect(t, balance.control);
  garbage.end(Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) % 256)));
  await readAll(garbage);
  const long = connect(t, balance.control);
  long.write("x".repeat(1 << 20));
  await readAll(long);
  const half = connect(t, balance.control);
  half.end("stat"); // not a command: the line never ended
  assert.equal(await readAll(half), "");
  const last = connect(t, balance.control);
  last.end("status\n"); // the answer comes although the client has ended its side
  assert.match(await readAll(last), /"ok":true/);
  assert.equal((await balance.status()).ok, true);
});

test("many clients at once, and idle ones never stop the others for good", async (t) => {
  const balance = await start(t, await conf());
  for (let round = 0; round < 5; round++) {
    // Fewer than Balance has places for: all are answered.
    const all = await Promise.all(Array.from({ length: 24 }, () => balance.status()));
    assert.ok(all.every((status) => status.ok));
  }
  const idle = Array.from({ length: 100 }, () => connect(t, balance.control));
  await sleep(200);
  for (const socket of idle) socket.destroy();
  await sleep(100);
  assert.equal((await balance.status()).ok, true);
});

test("a client that does not read holds up nobody", async (t) => {
  const balance = await start(t, await conf(3000));
  const slow = connect(t, balance.control).pause();
  for (let i = 0; i < 50; i++) slow.write("pools\n");
  for (let i = 0; i < 10; i++) {
    assert.equal((await balance.status()).ok, true);
    assert.equal((await balance.reload()).ok, true);
  }
  slow.destroy();
  const late = connect(t, balance.control);
  late.end("pools\nstatus\n");
  const lines = (await readAll(late)).trimEnd().split("\n");
  assert.equal(lines.length, 3002);
  for (const line of lines) JSON.parse(line);
});
