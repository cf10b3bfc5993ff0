// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./lib/balance.ts";
import { connect, freePort, readAll, readLine } from "./lib/net.ts";

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
