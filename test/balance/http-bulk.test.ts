// SPDX-License-Identifier: Apache-2.0
// Large bodies through the program as shipped: memory stays where it was, and whoever is slow holds up only himself.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRaw, text } from "./http-lib/backend.ts";
import { type HttpBalance, skipWithoutShipped } from "./http-lib/balance.ts";
import { startLane } from "./http-lib/lane.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";
import { until } from "./lib/until.ts";

const MB = 1 << 20;
const BLOCK = Buffer.alloc(MB, "0123456789abcdef");

/** Writes `size` bytes as fast as they are taken; tells how many were accepted by the socket. */
async function pour(socket: Socket, size: number, frame: (b: Buffer) => Buffer = (b) => b): Promise<void> {
  for (let left = size; left > 0 && !socket.destroyed; left -= BLOCK.length) {
    if (!socket.write(frame(BLOCK.subarray(0, Math.min(left, BLOCK.length)))))
      await new Promise<void>((resolve) => {
        socket.once("drain", resolve);
        socket.once("close", resolve);
      });
  }
}

const chunk = (b: Buffer) =>
  Buffer.concat([Buffer.from(`${b.length.toString(16)}\r\n`), b, Buffer.from("\r\n")]);

/** Counts what comes instead of keeping it. */
function drain(client: RawClient): { bytes: () => number } {
  client.socket.removeAllListeners("data");
  let n = client.pending.length;
  client.socket.on("data", (b: Buffer) => {
    n += b.length;
  });
  return { bytes: () => n };
}

/** Highest resident memory while something runs, less what it was before. */
async function growth(balance: HttpBalance, run: () => Promise<void>): Promise<number> {
  const before = await balance.resident();
  let most = before;
  let running = true;
  const watching = (async () => {
    while (running) {
      most = Math.max(most, await balance.resident());
      await sleep(50);
    }
  })();
  await run();
  running = false;
  await watching;
  return Math.max(most, await balance.resident()) - before;
}

function tell(t: TestContext, what: string, bytes: number): void {
  t.diagnostic(`${what}: resident memory grew by ${(bytes / MB).toFixed(1)} MB`);
}

const GB = 1024 * MB;

suite("large bodies in the HTTP lane", { skip: skipWithoutShipped() }, () => {
  for (const [name, size, framing] of [
    ["1 GB down with a length", GB, "length"],
    ["256 MB down in chunks", 256 * MB, "chunks"],
    ["256 MB down to the end of the connection", 256 * MB, "close"],
  ] as const)
    test(name, async (t) => {
      const pod = await startRaw(
        t,
        (socket) =>
          socket.on("data", async (data) => {
            if (data.includes("/small")) return void socket.write(text("ok"));
            const field = framing === "length" ? `Content-Length: ${size}` : "Transfer-Encoding: chunked";
            socket.write(`HTTP/1.1 200 OK\r\n${framing === "close" ? "X: y" : field}\r\n\r\n`);
            await pour(socket, size, framing === "chunks" ? chunk : undefined);
            if (framing === "chunks") socket.write("0\r\n\r\n");
            if (framing === "close") socket.end();
          }),
        { record: false },
      );
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`, { shipped: true });
      assert.equal((await lane.get("/small")).status, 200);
      const grown = await growth(lane.balance, async () => {
        const client = await RawClient.open(lane.port);
        client.send(get("/big"));
        const seen = drain(client);
        await until(name, () => seen.bytes() >= size, 60_000);
        client.close();
      });
      tell(t, name, grown);
      assert.ok(grown < 10 * MB);
    });

  for (const [name, size, framing] of [
    ["1 GB up with a length", GB, "length"],
    ["256 MB up in chunks", 256 * MB, "chunks"],
  ] as const)
    test(name, async (t) => {
      let came = 0;
      const pod = await startRaw(
        t,
        (socket) =>
          socket.on("data", (data: Buffer) => {
            came += data.length;
            if (
              data.includes("/small") ||
              (came >= size && (framing === "length" || data.includes("0\r\n\r\n")))
            )
              socket.write(text("ok"));
          }),
        { record: false },
      );
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`, { shipped: true });
      assert.equal((await lane.get("/small")).status, 200);
      came = 0;
      const grown = await growth(lane.balance, async () => {
        const client = await RawClient.open(lane.port);
        const field = framing === "length" ? `Content-Length: ${size}` : "Transfer-Encoding: chunked";
        client.send(`POST /big HTTP/1.1\r\nHost: a.example\r\n${field}\r\n\r\n`);
        await pour(client.socket, size, framing === "chunks" ? chunk : undefined);
        if (framing === "chunks") client.send("0\r\n\r\n");
        assert.equal((await client.answer("POST", 60_000)).status, 200);
        client.close();
      });
      tell(t, name, grown);
      assert.ok(grown < 10 * MB);
    });

  test("a client that does not read holds up its pod, and nobody else", async (t) => {
    const senders: Socket[] = [];
    const pod = await startRaw(
      t,
      (socket) =>
        socket.on("data", (data) => {
          if (data.includes("/small")) return void socket.write(text("ok"));
          senders.push(socket);
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${GB}\r\n\r\n`);
          return void pour(socket, GB);
        }),
      { record: false },
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`, { shipped: true });
    assert.equal((await lane.get("/small")).status, 200);
    const clients: RawClient[] = [];
    const grown = await growth(lane.balance, async () => {
      for (let i = 0; i < 50; i++) {
        const client = await RawClient.open(lane.port);
        client.socket.pause();
        client.send(get("/big"));
        clients.push(client);
      }
      await until("the pods are held up", async () => {
        const sent = () => senders.reduce((n, s) => n + s.bytesWritten - s.writableLength, 0);
        const before = sent();
        await sleep(200);
        return senders.length === 50 && sent() === before;
      });
      for (let i = 0; i < 50; i++) assert.equal((await lane.get("/small")).status, 200);
    });
    tell(t, "50 clients that do not read", grown);
    assert.ok(grown < 20 * MB);
    for (const client of clients) client.close();
    await until("their pods' connections end", () => pod.sockets.size <= 2);
  });

  test("a pod that does not read holds up its clients, and nobody else", async (t) => {
    const deaf = await startRaw(t, (socket) => socket.pause(), { record: false });
    const good = await startRaw(t, (socket) => socket.on("data", () => socket.write(text("ok"))));
    const lane = await startLane(
      t,
      `pool deaf -r 2 ${deaf.channel}\npool good ${good.channel}\nrule main a.example prefix /deaf deaf\ndefault main good\n`,
      { shipped: true },
    );
    assert.equal((await lane.get("/")).status, 200);
    const hidden = get("/hidden");
    const size = 64 * MB;
    const clients: RawClient[] = [];
    const grown = await growth(lane.balance, async () => {
      for (let i = 0; i < 20; i++) {
        const client = await RawClient.open(lane.port);
        client.send(`POST /deaf HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${size}\r\n\r\n`);
        client.send(hidden.repeat(10_000));
        void pour(client.socket, size - hidden.length * 10_000);
        clients.push(client);
      }
      for (let i = 0; i < 50; i++) assert.equal((await lane.get("/")).status, 200);
      for (const client of clients) {
        assert.equal((await client.answer()).status, 504);
        assert.ok(await client.ends());
        client.close();
      }
    });
    tell(t, "20 clients of a pod that does not read", grown);
    assert.ok(grown < 20 * MB);
    assert.ok(!good.received().includes("/hidden"));
  });

  test("a body whose end no pod has read is no request", async (t) => {
    // The sizes are such that Balance has read the end of some of them while the pod's socket is full.
    const answering = await startRaw(
      t,
      (socket) => {
        socket.pause();
        setTimeout(() => socket.write(text("early")), 500);
      },
      { record: false },
    );
    const good = await startRaw(t, (socket) => socket.on("data", () => socket.write(text("ok"))));
    const lane = await startLane(
      t,
      `pool full -r 2 ${answering.channel}\npool good ${good.channel}\nrule main a.example prefix /full full\ndefault main good\n`,
      { shipped: true },
    );
    const hidden = Buffer.from(get("/hidden"));
    const all = Array.from({ length: 120 }, async (_, i) => {
      const times = Math.floor((2 * MB + i * 28 * 1024) / hidden.length);
      const client = await RawClient.open(lane.port);
      client.send(
        `POST /full HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${times * hidden.length}\r\n\r\n`,
      );
      client.socket.write(Buffer.concat(Array.from({ length: times }, () => hidden)));
      await client.tryAnswer("POST", 10_000);
      await sleep(300);
      client.close();
    });
    await Promise.all(all);
    assert.ok(!good.received().includes("/hidden"));
  });
});
