// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type net from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Balance, memory, start } from "./lib/balance.ts";
import { blackHole, connect, freePort, type Pod, pod, readAll, readLine, type Target } from "./lib/net.ts";
import { until } from "./lib/until.ts";

const BLOCK = Buffer.alloc(65536, "b");

async function relay(
  t: TestContext,
  to: string,
  options = "",
): Promise<{ balance: Balance; tcp: number; unix: string }> {
  const tcp = await freePort();
  const unix = path.join("/tmp", `balance-${process.pid}-${tcp}.sock`);
  const balance = await start(
    t,
    `listen tcp tcp:127.0.0.1:${tcp}
     listen unix unix:${unix}
     pool p ${options} ${to}
     route tcp * p
     route unix * p`,
  );
  return { balance, tcp, unix };
}

/** Writes until nothing is taken any more for a while; returns how much was taken. */
async function push(socket: net.Socket, limit: number): Promise<number> {
  let sent = 0;
  let blocked = false;
  socket.setMaxListeners(0);
  while (sent < limit && !blocked && !socket.destroyed) {
    sent += BLOCK.length;
    if (socket.write(BLOCK)) continue;
    const drained = new Promise<boolean>((done) =>
      socket.once("drain", () => done(true)).once("close", () => done(true)),
    );
    blocked = !(await Promise.race([drained, sleep(1000, false)]));
  }
  return sent;
}

async function idle(balance: Balance): Promise<void> {
  await until("no connection is left", async () => {
    const [channel] = await balance.channels("p");
    const listeners = (await balance.status()).listeners;
    return channel?.active === 0 && listeners.every((l) => l.active === 0);
  });
}

/** CPU time of a process in clock ticks. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

const targets = ["tcp", "unix"] as const;

for (const kind of targets) {
  test(`half-close, ${kind}: the client's end reaches the pod, the answer still flows`, async (t) => {
    const a = await pod(t, async (socket) => socket.end(`got ${await readAll(socket)}`));
    const { balance, [kind]: target } = await relay(t, a.address);
    const socket = connect(t, target);
    socket.end("question");
    assert.equal(await readAll(socket), "got question");
    await idle(balance);
  });

  test(`half-close, ${kind}: the pod's end reaches the client, the upload still flows`, async (t) => {
    const uploads: Promise<string>[] = [];
    const a = await pod(t, (socket) => {
      socket.end("early");
      uploads.push(readAll(socket));
    });
    const { balance, [kind]: target } = await relay(t, a.address);
    const socket = connect(t, target);
    assert.equal(await readAll(socket), "early");
    for (let i = 0; i < 64; i++) socket.write(BLOCK);
    socket.end();
    assert.equal((await uploads[0])?.length, 64 * BLOCK.length);
    await idle(balance);
  });

  test(`back-pressure, ${kind}: a pod that does not read blocks the client, not the memory`, async (t) => {
    const a = await pod(t, (socket) => socket.pause());
    const { balance, [kind]: target } = await relay(t, a.address);
    const [worker] = await balance.workers();
    const before = memory(worker as number);
    const socket = connect(t, target);
    const sent = await push(socket, 500 << 20);
    assert.ok(sent < 100 << 20, `${sent} bytes were taken`);
    assert.ok(memory(worker as number) - before < 16 << 20);
    socket.destroy();
    for (const s of a.sockets) s.destroy();
    await idle(balance);
  });

  test(`back-pressure, ${kind}: a client that does not read blocks the pod`, async (t) => {
    const sent: Promise<number>[] = [];
    const a = await pod(t, (socket) => sent.push(push(socket, 500 << 20)));
    const { balance, [kind]: target } = await relay(t, a.address);
    const socket = connect(t, target).pause();
    await until("pod is connected", () => sent.length === 1);
    assert.ok(((await sent[0]) as number) < 100 << 20);
    socket.destroy();
    await idle(balance);
  });
}

test("a pod that resets in the middle ends the client, and its place is given back", async (t) => {
  for (const bulk of [false, true]) {
    const a = await pod(t, async (socket) => {
      if (bulk) await push(socket, 8 << 20);
      else socket.write("begin\n");
      await sleep(100);
      socket.resetAndDestroy();
    });
    const { balance, tcp, unix } = await relay(t, a.address);
    for (const target of [tcp, unix] as Target[]) {
      const socket = connect(t, target);
      const text = await readAll(socket);
      assert.ok(bulk ? text.length > 0 : text === "begin\n");
      await idle(balance);
    }
  }
});

test("a client that resets in the middle of a bulk upload leaves nothing behind", async (t) => {
  // The pod reads slowly and would wait for ever: only Balance can end it.
  const a = await pod(t, (socket) => socket.on("data", () => {}));
  const { balance, tcp } = await relay(t, a.address);
  for (let i = 0; i < 20; i++) {
    const socket = connect(t, tcp);
    await push(socket, (4 << 20) + i * 100_000);
    socket.resetAndDestroy();
  }
  await idle(balance);
});

test("a pod that resets after its own end, during the upload, leaves nothing behind", async (t) => {
  const a = await pod(t, (socket) => {
    socket.end("done");
    socket.on("data", () => {});
    setTimeout(() => socket.resetAndDestroy(), 100);
  });
  const { balance, tcp } = await relay(t, a.address);
  const socket = connect(t, tcp);
  assert.equal(await readAll(socket), "done");
  await push(socket, 64 << 20);
  await idle(balance);
});

test("a pod that resets while neither side moves costs no CPU and ends with the client", async (t) => {
  // Both directions are full when the pod goes: the client's bytes can never be delivered, the pod's are not fetched.
  const a = await pod(t, (socket) => {
    socket.pause();
    void push(socket, 64 << 20);
  });
  const { balance, tcp } = await relay(t, a.address);
  const [worker] = await balance.workers();
  const socket = connect(t, tcp).pause();
  await push(socket, 64 << 20);
  for (const s of a.sockets) s.resetAndDestroy();
  await sleep(200);
  const before = ticks(worker as number);
  await sleep(1000);
  assert.ok(ticks(worker as number) - before < 30, "the worker spins");
  socket.resume();
  await readAll(socket);
  await idle(balance);
});

test("an early answer reaches a client that is still uploading", async (t) => {
  const a = await pod(t, (socket) => {
    socket.once("data", () => socket.end("413 too much"));
    socket.on("data", () => {});
  });
  const { balance, tcp } = await relay(t, a.address);
  const socket = connect(t, tcp);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  await push(socket, 16 << 20);
  await until("the answer is there", () => text === "413 too much");
  socket.end();
  await idle(balance);
});

test("bytes of a client that has gone already are delivered", async (t) => {
  const uploads: Promise<string>[] = [];
  const a: Pod = await pod(t, (socket) => uploads.push(readAll(socket).finally(() => socket.destroy())));
  const { balance, tcp, unix } = await relay(t, `${await blackHole(t)} ${a.address} %`, "-t 0.3");
  for (const target of [tcp, unix] as Target[]) {
    const before = uploads.length;
    const socket = connect(t, target);
    await new Promise((done) => socket.write("fire and forget", done));
    socket.destroy();
    await until(`${target}: the pod is connected`, () => uploads.length === before + 1);
    assert.equal(await uploads[before], "fire and forget");
  }
  await until("nothing is left", async () => (await balance.status()).listeners.every((l) => l.active === 0));
});

test("a silent connection ends after the idle timeout, a busy one does not", async (t) => {
  const a = await pod(t, (socket) => socket.pipe(socket));
  const { balance, tcp } = await relay(t, a.address, "-T 0.6");
  const [silent, busy] = [connect(t, tcp), connect(t, tcp)];
  let over = false;
  const ended = readAll(silent).then(() => {
    over = true;
  });
  for (let i = 0; i < 15; i++) {
    busy.write(`${i}\n`);
    assert.equal(await readLine(busy), String(i));
    await sleep(100);
  }
  await ended;
  assert.ok(over);
  busy.write("still\n");
  assert.equal(await readLine(busy), "still");
  busy.destroy();
  await idle(balance);
});
