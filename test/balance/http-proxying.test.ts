// SPDX-License-Identifier: Apache-2.0
// What goes through: requests and their bodies, interim answers, connections kept on both sides, upgrades.
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { startRaw, text } from "./http-lib/backend.ts";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane, startSingle } from "./http-lib/lane.ts";
import { fetchRaw, get, RawClient } from "./http-lib/raw-client.ts";

const CHUNKS = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";

suite("what the HTTP lane passes on", { skip: skipWithoutBalance() }, () => {
  test("a request byte by byte", async (t) => {
    const { port, pod } = await startSingle(t);
    const client = await RawClient.open(port);
    const head = "POST /p HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const byte of Buffer.from(`${head}${CHUNKS}${get("/second")}`)) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await client.answer()).status, 200);
    assert.equal((await client.answer()).status, 200);
    assert.equal(pod.requests[0]?.body.toString(), CHUNKS);
    assert.equal(pod.requests[1]?.line, "GET /second HTTP/1.1");
    client.close();
  });

  test("connections are kept on both sides", async (t) => {
    const { port, pod, balance } = await startSingle(t);
    const client = await RawClient.open(port);
    for (let i = 0; i < 20; i++) assert.equal((await client.request(get(`/${i}`))).status, 200);
    client.close();
    for (let i = 0; i < 20; i++) assert.equal((await fetchRaw(port, get(`/${i}`))).status, 200);
    assert.equal(pod.accepted, 1);
    const channel = (await balance.channels("p"))[0] as unknown as Record<string, number>;
    assert.equal(channel.total, 1);
    assert.equal(channel.requests, 40);
  });

  test("HTTP/1.0 clients: closed, or kept when they ask", async (t) => {
    const { port } = await startSingle(t);
    const once = await RawClient.open(port);
    const answer = await once.request("GET / HTTP/1.0\r\nHost: a.example\r\n\r\n");
    assert.equal(answer.fields.get("connection"), "close");
    assert.ok(await once.ends());
    const kept = await RawClient.open(port);
    for (let i = 0; i < 3; i++) {
      const again = await kept.request("GET / HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n");
      assert.equal(again.fields.get("connection"), "keep-alive");
    }
    kept.close();
    once.close();
  });

  test("keep-alive=off: every answer is its connection's last", async (t) => {
    const { port, pod } = await startSingle(t, undefined, { before: "http keep-alive=off" });
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.open(port);
      client.send(get("/") + get("/hidden"));
      assert.equal((await client.answer()).fields.get("connection"), "close");
      assert.ok(await client.ends());
      client.close();
    }
    assert.ok(!pod.received().includes("/hidden"));
  });

  test("Expect: 100-continue: the body follows the pod's 100", async (t) => {
    const pod = await startRaw(t, (socket) => {
      let seen = "";
      socket.on("data", (chunk) => {
        seen += chunk;
        if (seen.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        if (seen.endsWith("body")) socket.write(text("done"));
      });
    });
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    const head = "POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    assert.equal((await client.request(head)).status, 100);
    assert.equal((await client.request("body")).body.toString(), "done");
    client.close();
  });

  test("Expect: refused by the pod; the rest of the connection is not taken for a request", async (t) => {
    const { port, pod } = await startSingle(t);
    const refusing = await startRaw(t, (socket) =>
      socket.once("data", () => socket.write("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")),
    );
    const lane = await startLane(t, `pool p ${refusing.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    const hidden = get("/hidden");
    const head = `POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: ${hidden.length}\r\n\r\n`;
    assert.equal((await client.request(head)).status, 417);
    client.send(hidden);
    assert.ok(await client.ends());
    assert.ok(!refusing.received().includes("/hidden"));
    assert.equal((await fetchRaw(port, get("/"))).status, 200);
    assert.equal(pod.requests.length, 1);
    client.close();
  });

  test("1xx: many of them, none for HTTP/1.0", async (t) => {
    const interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(50);
    const { port } = await startSingle(t, () => `${interim}${text("ok")}`);
    const client = await RawClient.open(port);
    client.send(get("/"));
    for (let i = 0; i < 50; i++) assert.equal((await client.answer()).status, 102);
    assert.equal((await client.answer()).status, 200);
    client.close();
    assert.equal((await fetchRaw(port, "GET / HTTP/1.0\r\nHost: a.example\r\n\r\n")).status, 200);
  });

  test("pipelined requests are answered in order, whoever is slow", async (t) => {
    const { port } = await startSingle(t, (request, socket) => {
      const name = request.line.split(" ")[1] ?? "";
      if (!name.startsWith("/slow")) return text(name);
      setTimeout(() => socket.write(text(name)), 30);
      return undefined;
    });
    const client = await RawClient.open(port);
    const paths = Array.from({ length: 30 }, (_, i) => (i % 5 === 0 ? `/slow${i}` : `/${i}`));
    client.send(paths.map((p) => get(p)).join(""));
    for (const path of paths) assert.equal((await client.answer()).body.toString(), path);
    client.close();
  });

  test("a client that has ended its side gets its answer", async (t) => {
    const { port } = await startSingle(t);
    const client = await RawClient.open(port);
    client.socket.end(get("/"));
    assert.equal((await client.answer()).status, 200);
    assert.ok(await client.ends());
    client.close();
  });

  test("node's client and server: many at a time, with bodies", async (t) => {
    const server = http.createServer((req, res) => {
      const parts: Buffer[] = [];
      req.on("data", (chunk: Buffer) => parts.push(chunk));
      req.on("end", () => res.end(Buffer.concat(parts)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port: podPort } = server.address() as AddressInfo;
    const lane = await startLane(t, `pool p 127.0.0.1:${podPort}\ndefault main p\n`, { workers: 2 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    t.after(() => agent.destroy());
    const echo = (size: number, chunked: boolean) =>
      new Promise<void>((resolve, reject) => {
        const body = Buffer.alloc(size, String(size));
        const headers = chunked ? {} : { "Content-Length": size };
        const req = http.request({ port: lane.port, host: "127.0.0.1", agent, method: "POST", headers });
        req.on("error", reject);
        req.on("response", (res) => {
          const parts: Buffer[] = [];
          res.on("data", (chunk: Buffer) => parts.push(chunk));
          res.on("end", () => {
            if (Buffer.concat(parts).equals(body)) resolve();
            else reject(new Error(`${size}: not what was sent`));
          });
        });
        req.end(body);
      });
    const sizes = Array.from({ length: 300 }, (_, i) => (i * 7919) % 200_000);
    await Promise.all(sizes.map((size, i) => echo(size, i % 2 === 0)));
  });

  test("an upgrade becomes a tunnel", async (t) => {
    const pod = await startRaw(t, (socket) =>
      socket.once("data", () => {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ",
        );
        socket.on("data", (chunk) => socket.write(chunk));
        socket.on("end", () => socket.end("bye"));
      }),
    );
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    client.send(get("/", "a.example", "Connection: Upgrade\r\nUpgrade: echo\r\n"));
    const answer = await client.answer();
    assert.equal(answer.status, 101);
    assert.equal(answer.fields.get("upgrade"), "echo");
    assert.equal(await client.text("hello "), "hello ");
    client.send("GET /not-http HTTP/1.1\r\n\r\n");
    await client.text("GET /not-http HTTP/1.1\r\n\r\n");
    client.socket.end();
    await client.text("bye");
    assert.ok(await client.ends());
    client.close();
  });
});
