// SPDX-License-Identifier: Apache-2.0
// Pods that can't be reached, die, or are slow: what the client is told, and what is tried first.
import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { startBackend, startRaw, text } from "./http-lib/backend.ts";
import { freePort, skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane, startSingle } from "./http-lib/lane.ts";
import { fetchRaw, get, RawClient } from "./http-lib/raw-client.ts";
import { blackHole } from "./lib/net.ts";

/** A pod that serves one request per connection and resets it on the next. */
async function startDying(t: TestContext, reset: boolean) {
  return startRaw(t, (socket, nth) => {
    let requests = 0;
    socket.on("data", () => {
      requests++;
      if (requests === 1 || nth > 1) socket.write(text(`connection ${nth}`));
      else if (reset) socket.resetAndDestroy();
      else socket.end();
    });
  });
}

suite("pods of the HTTP lane that fail", { skip: skipWithoutBalance() }, () => {
  test("the next channel, then the next group, then 502", async (t) => {
    const [a, b] = [await startBackend(t, () => text("a")), await startBackend(t, () => text("b"))];
    const dead = `127.0.0.1:${await freePort()}`;
    const lane = await startLane(t, `pool p ${dead} ${a.channel} ! ${b.channel}\ndefault main p\n`);
    for (let i = 0; i < 6; i++) assert.equal((await lane.get("/")).body.toString(), "a");
    await a.close();
    for (let i = 0; i < 6; i++) assert.equal((await lane.get("/")).body.toString(), "b");
    await b.close();
    const client = await RawClient.open(lane.port);
    assert.equal((await client.request(get("/"))).status, 502);
    assert.equal((await client.request(get("/"))).status, 502, "the connection goes on");
    client.close();
    const channels = await lane.balance.channels("p");
    assert.ok((channels[0]?.failed ?? 0) >= 6);
  });

  test("504 when connecting takes too long; the next channel before that", async (t) => {
    const hole = await blackHole(t);
    const good = await startBackend(t);
    const lane = await startLane(
      t,
      `pool p -t 0.2 ${hole}\npool q -t 0.2 ${hole} ! ${good.channel}\nrule main a.example prefix / p\ndefault main q\n`,
    );
    assert.equal((await lane.get("/")).status, 504);
    assert.equal((await lane.get("/", "b.example")).status, 200);
  });

  test("503 when every channel is full, and a place again later", async (t) => {
    const waiting: (() => void)[] = [];
    const pod = await startBackend(t, (_request, socket) => {
      waiting.push(() => socket.write(text("ok")));
      return undefined;
    });
    const lane = await startLane(t, `pool p ${pod.channel}:1\ndefault main p\n`, { workers: 2 });
    const first = await RawClient.open(lane.port);
    first.send(get("/"));
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await lane.get("/");
    assert.equal(second.status, 503);
    assert.ok(second.fields.has("retry-after"));
    waiting.shift()?.();
    assert.equal((await first.answer()).status, 200);
    const third = RawClient.open(lane.port);
    (await third).send(get("/"));
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    waiting.shift()?.();
    assert.equal((await (await third).answer()).status, 200);
    first.close();
    (await third).close();
  });

  for (const reset of [false, true]) {
    const how = reset ? "is reset" : "ends";
    test(`a kept connection that ${how}: GET is sent again once`, async (t) => {
      const pod = await startDying(t, reset);
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
      assert.equal((await lane.get("/1")).body.toString(), "connection 1");
      assert.equal((await lane.get("/2")).body.toString(), "connection 2");
      assert.equal(pod.accepted, 2);
    });

    test(`a kept connection that ${how}: requests behind the repeated one are not lost`, async (t) => {
      const pod = await startDying(t, reset);
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
      assert.equal((await lane.get("/1")).status, 200);
      const client = await RawClient.open(lane.port);
      client.send(get("/2") + get("/3") + get("/4"));
      for (let i = 0; i < 3; i++) assert.equal((await client.answer()).body.toString(), "connection 2");
      client.close();
    });

    for (const request of [
      "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi",
      "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi",
      "PATCH / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ])
      test(`a kept connection that ${how}: 502 for ${JSON.stringify(request.slice(0, 5))} of ${request.length} bytes`, async (t) => {
        const pod = await startDying(t, reset);
        const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
        assert.equal((await lane.get("/1")).status, 200);
        assert.equal((await fetchRaw(lane.port, request)).status, 502);
        assert.equal(pod.accepted, 1, "not sent again");
      });
  }

  test("a new connection that dies is no reason to try again", async (t) => {
    const pod = await startRaw(t, (socket) => socket.once("data", () => socket.end()));
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    assert.equal((await lane.get("/")).status, 502);
    assert.equal(pod.accepted, 1);
  });

  test("only one repetition: a pod that always dies gets two", async (t) => {
    const pod = await startRaw(t, (socket, nth) => {
      let requests = 0;
      socket.on("data", () => {
        requests++;
        if (nth === 1 && requests === 1) socket.write(text("ok"));
        else socket.end();
      });
    });
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    assert.equal((await lane.get("/1")).status, 200);
    assert.equal((await lane.get("/2")).status, 502);
    assert.equal(pod.accepted, 2);
  });

  test("kept connections that a pod has ended are not used", async (t) => {
    const pod = await startBackend(t);
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const post = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi";
    for (let i = 0; i < 10; i++) {
      assert.equal((await fetchRaw(lane.port, post)).status, 200);
      const [kept] = [...pod.sockets];
      const gone = new Promise((resolve) => kept?.once("close", resolve));
      kept?.end();
      await gone; // Balance has ended its side, so it knows
    }
  });

  test("504 when the answer takes too long, and nothing of that connection is used again", async (t) => {
    const { port, pod } = await startSingle(t, undefined, "");
    const silent = await startRaw(t, () => {});
    const lane = await startLane(t, `pool p -r 0.3 ${silent.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    assert.equal((await client.request(get("/"))).status, 504);
    assert.equal((await client.request(get("/"))).status, 504);
    assert.equal(silent.accepted, 2);
    client.close();
    assert.equal((await fetchRaw(port, get("/"))).status, 200);
    assert.equal(pod.requests.length, 1);
  });

  test("an answer that stops in the middle ends the client's connection", async (t) => {
    for (const part of [
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ]) {
      const pod = await startRaw(t, (socket) => socket.once("data", () => socket.end(part)));
      const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
      const client = await RawClient.open(lane.port);
      client.send(get("/"));
      await client.text("half");
      assert.ok(await client.ends());
      client.close();
    }
  });
});
