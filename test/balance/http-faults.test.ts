// SPDX-License-Identifier: Apache-2.0
// Pods that break the protocol: a 502 or a cut connection for whoever asked, and nothing of it for anybody else.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRaw, text } from "./http-lib/backend.ts";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane } from "./http-lib/lane.ts";
import { fetchRaw, get, RawClient } from "./http-lib/raw-client.ts";
import { until } from "./lib/until.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const END = "\r\n\r\n";

const garbage: [name: string, bytes: string][] = [
  ["nothing", ""],
  ["an empty line", END],
  ["rubbish", "\0\x01\x02\x03\xff"],
  ["an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["half a status line", "HTTP/1.1 20"],
  ["half a head", `${OK}Content-Le`],
  ["a request", get("/")],
  ["no version", "200 OK\r\n\r\n"],
  ["HTTP/0.9", "<html></html>"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["ICY", "ICY 200 OK\r\n\r\n"],
  ["a status of letters", "HTTP/1.1 abc OK\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 99 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["lines ended by LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
  ["a bare CR", `${OK}X: a\rb\r\nContent-Length: 0${END}`],
  ["a folded line", `${OK}X: a\r\n b\r\nContent-Length: 0${END}`],
  ["a blank before a colon", `${OK}Content-Length : 0${END}`],
  ["a field without a colon", `${OK}X\r\nContent-Length: 0${END}`],
  ["NUL in a field", `${OK}X: \0\r\nContent-Length: 0${END}`],
  ["NUL in the reason", `HTTP/1.1 200 O\0K\r\nContent-Length: 0${END}`],
  ["length and coding", `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked${END}0\r\n\r\n`],
  ["two lengths", `${OK}Content-Length: 1\r\nContent-Length: 2${END}ab`],
  ["two equal lengths", `${OK}Content-Length: 1\r\nContent-Length: 1${END}a`],
  ["a negative length", `${OK}Content-Length: -1${END}`],
  ["a length beyond 64 bits", `${OK}Content-Length: 99999999999999999999${END}`],
  ["an unknown coding", `${OK}Transfer-Encoding: x${END}`],
  ["gzip, chunked", `${OK}Transfer-Encoding: gzip, chunked${END}0\r\n\r\n`],
  ["chunked and a tab", `${OK}Transfer-Encoding: chunked\t${END}0\r\n\r\n`],
  ["chunked in HTTP/1.0", `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked${END}0\r\n\r\n`],
  [
    "101 that nobody asked for",
    `HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x${END}HTTP/1.1 200 evil${END}`,
  ],
  ["a head of 40,000 bytes", `${OK}X: ${"x".repeat(40_000)}${END}`],
  ["200 fields", `${OK}${"X: y\r\n".repeat(200)}\r\n`],
];

/** What a pod says too much: behind these, the next client must not see anything of it. */
const tooMuch: [name: string, method: string, bytes: string][] = [
  [
    "a body longer than its length",
    "GET",
    `${OK}Content-Length: 2${END}okHTTP/1.1 200 evil\r\nContent-Length: 4${END}evil`,
  ],
  ["a second response", "GET", `${OK}Content-Length: 2${END}ok${OK}Content-Length: 4${END}evil`],
  [
    "a second response behind chunks",
    "GET",
    `${OK}Transfer-Encoding: chunked${END}0\r\n\r\n${OK}Content-Length: 4${END}evil`,
  ],
  ["a body for HEAD", "HEAD", `${OK}Content-Length: 40${END}${OK}Content-Length: 4${END}evil`],
  ["a body for 204", "GET", `HTTP/1.1 204 X${END}${OK}Content-Length: 4${END}evil`],
  ["a body for 304", "GET", `HTTP/1.1 304 X\r\nContent-Length: 40${END}${OK}Content-Length: 4${END}evil`],
];

suite("pods that break the protocol", { skip: skipWithoutBalance() }, () => {
  for (const [name, bytes] of garbage)
    test(`502 for ${name}`, async (t) => {
      const pod = await startRaw(t, (socket) =>
        socket.once("data", () => socket.end(Buffer.from(bytes, "latin1"))),
      );
      const good = await startRaw(t, (socket) => socket.on("data", () => socket.write(text("good"))));
      const lane = await startLane(
        t,
        `pool p ${pod.channel}\npool good ${good.channel}\nrule main a.example prefix /good good\ndefault main p\n`,
      );
      const client = await RawClient.open(lane.port);
      const answer = await client.request(get("/"));
      assert.equal(answer.status, 502);
      assert.equal((await client.request(get("/good"))).body.toString(), "good");
      assert.equal(client.pending.length, 0);
      client.close();
    });

  for (const [name, method, bytes] of tooMuch)
    for (const late of [false, true])
      test(`${name}${late ? ", late" : ""}: the next answer is its own`, async (t) => {
        let n = 0;
        const pod = await startRaw(t, (socket) =>
          socket.on("data", () => {
            if (++n > 1) return void socket.write(text("clean"));
            const cut = bytes.lastIndexOf("HTTP/1.1 200");
            if (!late) return void socket.write(bytes);
            socket.write(bytes.slice(0, cut));
            setTimeout(() => socket.write(bytes.slice(cut)), 30);
          }),
        );
        const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
        const client = await RawClient.open(lane.port);
        assert.ok((await client.request(get("/", "a.example", "", method), method)).status < 400);
        if (late) await sleep(60);
        assert.equal((await client.request(get("/"))).body.toString(), "clean");
        assert.equal((await fetchRaw(lane.port, get("/"))).body.toString(), "clean");
        client.close();
      });

  for (const [name, body] of [
    ["a wrong chunk", "5\r\nhello\r\nxyz\r\n"],
    ["a chunk without its line end", "5\r\nhelloXX0\r\n\r\n"],
    ["a chunk ended by LF", "5\r\nhello\n0\r\n\r\n"],
    ["a chunk beyond 64 bits", "5\r\nhello\r\nfffffffffffffffff\r\n"],
  ] as const)
    test(`${name} in a response: cut off`, async (t) => {
      const pod = await startRaw(t, (socket) =>
        socket.once("data", async () => {
          socket.write(`${OK}Transfer-Encoding: chunked${END}3\r\nabc\r\n`);
          await sleep(30);
          socket.write(body);
        }),
      );
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
      const client = await RawClient.open(lane.port);
      client.send(get("/"));
      await client.text("abc");
      assert.ok(await client.ends());
      assert.ok(!client.pending.includes("\r\n0\r\n\r\n"), "no end mark");
      client.close();
    });

  test("a reset in the middle of a body", async (t) => {
    const pod = await startRaw(t, (socket) =>
      socket.once("data", () => {
        socket.write(`${OK}Content-Length: 1000${END}half`);
        setTimeout(() => socket.resetAndDestroy(), 30);
      }),
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    client.send(get("/"));
    await client.text("half");
    assert.ok(await client.ends());
    client.close();
  });

  test("a reset while the request's body comes: 502, or the answer the pod had given", async (t) => {
    const pod = await startRaw(t, (socket, nth) =>
      socket.once("data", () => {
        if (nth === 2) socket.write(`HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0${END}`);
        setTimeout(() => (nth === 2 ? socket.end() : socket.resetAndDestroy()), 30);
      }),
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    for (const want of [502, 403]) {
      const client = await RawClient.open(lane.port);
      client.send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000000\r\n\r\n");
      const answer = client.answer();
      for (let i = 0; i < 20 && !client.closed; i++) {
        client.send("x".repeat(10_000));
        await sleep(5);
      }
      assert.equal((await answer).status, want);
      assert.ok(await client.ends());
      client.close();
    }
  });

  test("endless fields: 502, and memory is not taken", async (t) => {
    let sent = 0;
    const pod = await startRaw(t, (socket) =>
      socket.once("data", () => {
        socket.write(OK);
        const more = () => {
          sent += 6;
          if (!socket.destroyed && sent < 100e6 && socket.write("X: y\r\n".repeat(100))) setImmediate(more);
        };
        socket.on("drain", more);
        more();
      }),
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    assert.equal((await lane.get("/")).status, 502);
    await until("the pod is left", () => pod.sockets.size === 0);
  });

  test("endless interim answers: others are served, and it ends with the client", async (t) => {
    const interim = Buffer.from("HTTP/1.1 102 Processing\r\nX-Pad: 0123456789\r\n\r\n".repeat(200));
    const pod = await startRaw(
      t,
      (socket) =>
        socket.on("data", (data) => {
          if (data.includes("/good")) return void socket.write(text("good"));
          const more = () => {
            while (!socket.destroyed && socket.write(interim));
          };
          socket.on("drain", more);
          more();
        }),
      { record: false },
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const [reading, silent] = [await RawClient.open(lane.port), await RawClient.open(lane.port)];
    silent.socket.pause();
    reading.socket.removeAllListeners("data").resume();
    reading.send(get("/"));
    silent.send(get("/"));
    for (let i = 0; i < 30; i++) assert.equal((await lane.get("/good")).body.toString(), "good");
    reading.socket.resetAndDestroy();
    silent.socket.resetAndDestroy();
    await until("the pods are left", () => pod.sockets.size <= 1);
    assert.equal((await lane.get("/good")).body.toString(), "good");
  });
});
