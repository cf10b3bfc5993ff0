// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type net from "node:net";
import { test } from "node:test";
import { start } from "./lib/balance.ts";
import { connect, freePort, pod } from "./lib/net.ts";
import { until } from "./lib/until.ts";

const SIZE = 1 << 30;
const NOISE = randomBytes(1 << 20);

/** Writes SIZE bytes, of blocks that begin somewhere else each time, and ends; the hash of all that was written. */
async function send(socket: net.Socket): Promise<string> {
  const hash = createHash("sha1");
  for (let sent = 0, i = 0; sent < SIZE; i++) {
    const from = (i * 7919) % (NOISE.length / 2);
    const block = NOISE.subarray(from, from + Math.min(1 + ((i * 104729) % (NOISE.length / 2)), SIZE - sent));
    hash.update(block);
    sent += block.length;
    if (!socket.write(block)) await new Promise((done) => socket.once("drain", done));
  }
  socket.end();
  return hash.digest("hex");
}

async function receive(socket: net.Socket): Promise<{ hash: string; size: number }> {
  const hash = createHash("sha1");
  let size = 0;
  for await (const chunk of socket) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { hash: hash.digest("hex"), size };
}

for (const kind of ["tcp", "unix"] as const) {
  test(`1 GB each way at the same time arrives intact, ${kind} listener`, { timeout: 180_000 }, async (t) => {
    let sent = Promise.resolve("");
    let got = Promise.resolve({ hash: "", size: 0 });
    const a = await pod(t, (socket) => {
      sent = send(socket);
      got = receive(socket);
    });
    const port = await freePort();
    const target = kind === "tcp" ? port : `/tmp/balance-bulk-${process.pid}.sock`;
    const balance = await start(
      t,
      `listen l ${kind === "tcp" ? `tcp:127.0.0.1:${port}` : `unix:${target}`}
       pool p ${a.address}
       route l * p`,
    );
    const socket = connect(t, target);
    const [up, down] = await Promise.all([send(socket), receive(socket)]);
    assert.deepEqual(down, { hash: await sent, size: SIZE });
    assert.deepEqual(await got, { hash: up, size: SIZE });
    await until("it is closed", async () => (await balance.listener("l")).active === 0);
    const [channel] = await balance.channels("p");
    assert.deepEqual([channel?.bytes_in, channel?.bytes_out, channel?.active], [SIZE, SIZE, 0]);
  });
}
