// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Balance, descriptors, memory, start } from "./lib/balance.ts";
import { connect, exchange, freePort, named, readLine } from "./lib/net.ts";
import { until } from "./lib/until.ts";

async function drained(balance: Balance): Promise<void> {
  await until("nothing is open", async () => {
    const [channels, status] = [await balance.channels("p"), await balance.status()];
    return (
      channels.every((ch) => ch.active === 0) &&
      status.listeners.every((l) => l.active === 0) &&
      status.workers.every((w) => w.connections === 0)
    );
  });
}

test("when descriptors run out accepting pauses, goes on later, and nobody is harmed", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const balance = await start(
    t,
    `workers 1
     listen l tcp:127.0.0.1:${port}
     pool p ${a.address}
     route l * p`,
    ["/bin/sh", "-c", 'ulimit -n 200 && exec "$0" "$@"'],
  );
  const sockets = Array.from({ length: 150 }, () => connect(t, port));
  const lines = sockets.map((socket) => readLine(socket));
  await until("it is full", () => balance.log.includes("accepting paused"));
  const served = (await balance.listener("l")).active as number;
  assert.ok(served > 20 && served < 100, String(served));
  assert.equal((await balance.listener("l")).no_channel, 0); // no connection was taken that could not be served
  const [worker] = await balance.workers();
  assert.ok(descriptors(worker as number) <= 200);
  await Promise.race(lines);
  const first = sockets.find((socket) => socket.bytesRead > 0);
  first?.write("still\n");
  assert.equal(await readLine(first as never), "still");
  // A place given up is a place for one who waits; in the end all are served.
  for (let i = 0; i < sockets.length; i++) {
    await lines[i];
    sockets[i]?.destroy();
  }
  await drained(balance);
  assert.equal(a.accepted, 150);
  assert.equal(await exchange(port, "x"), "a\nx");
});

test("five thousand connections leave no descriptor, no memory and no count behind", {
  timeout: 120_000,
}, async (t) => {
  const a = await named(t, "a");
  const [port, dead] = [await freePort(), await freePort()];
  const unix = `/tmp/balance-many-${process.pid}.sock`;
  const balance = await start(
    t,
    `workers 2
     listen l tcp:127.0.0.1:${port}
     listen u unix:${unix}
     pool p 127.0.0.1:${dead} ! ${a.address}
     route l * p
     route u * p`,
  );
  const block = "b".repeat(200_000);
  const kinds = [
    async (target: number | string) => assert.equal(await exchange(target, "x"), "a\nx"),
    async (target: number | string) => assert.equal((await exchange(target, block)).length, block.length + 2),
    async (target: number | string) => {
      const socket = connect(undefined, target);
      if (typeof target === "number") socket.resetAndDestroy();
      else socket.destroy();
    },
    async (target: number | string) => {
      const socket = connect(undefined, target);
      socket.write(block);
      await readLine(socket).catch(() => "");
      if (typeof target === "number") socket.resetAndDestroy();
      else socket.destroy();
    },
  ];
  const many = async (n: number): Promise<void> => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < n) {
        const i = next++;
        const kind = i % 50 === 0 ? kinds[1] : i % 50 === 1 ? kinds[3] : i % 5 === 2 ? kinds[2] : kinds[0];
        await kind?.(i % 2 ? port : unix);
      }
    };
    await Promise.all(Array.from({ length: 32 }, one));
    for (const socket of a.sockets) if (socket.readableEnded) socket.destroy();
    await drained(balance);
  };
  await many(1000); // warms up: kept pipes and buffers
  const pids = await balance.workers();
  const before = pids.map((pid) => [descriptors(pid), memory(pid)] as const);
  const master = descriptors(balance.child.pid as number);
  await many(5000);
  await sleep(100);
  for (const [i, pid] of pids.entries()) {
    const [fds, bytes] = before[i] as readonly [number, number];
    // A few more pipes may have been made and kept for later.
    assert.ok(descriptors(pid) <= fds + 16, `${descriptors(pid)} descriptors after ${fds}`);
    assert.ok(memory(pid) - bytes < 64 << 20, `${memory(pid) - bytes} bytes more`);
  }
  assert.ok(descriptors(balance.child.pid as number) <= master);
  assert.deepEqual(await balance.workers(), pids);
});
