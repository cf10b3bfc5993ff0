// SPDX-License-Identifier: Apache-2.0
// Balance's workers inside Hitch's: what they serve.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { alive, memory } from "./lib/balance.ts";
import { startFront } from "./lib/front.ts";
import { hashOf, hashOfNext, hashOfPieces, pieces, rawPod, webPod } from "./lib/front-pods.ts";
import { keepAlive, openRaw, raw, requests, web } from "./lib/front-talk.ts";
import { readLine } from "./lib/net.ts";
import { until } from "./lib/until.ts";

const SIZE = 50_000_000;

describe("guests serve", { concurrency: false }, () => {
  test("a worker of Hitch joins with its first client, and what it serves is counted", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web(pod.channel));
    assert.deepEqual(await front.guests(), []);
    const guest = await front.joined();
    assert.notEqual(guest.pid, front.hitch.pid);
    assert.ok(alive(guest.pid));
    const before = [await requests(front, "web"), (await front.balance.listener("https")).accepted ?? 0];
    const agent = keepAlive(t);
    for (let i = 0; i < 30; i++) assert.equal((await front.get("/", { agent })).body, "a");
    const { accepted, active } = await front.balance.listener("https");
    assert.deepEqual(
      [await requests(front, "web"), accepted, active],
      [(before[0] ?? 0) + 30, (before[1] ?? 0) + 1, 1],
    );
    assert.equal((await front.guests())[0]?.connections, 1);
    assert.equal((await front.status()).workers[0]?.connections, 0);
    agent.destroy();
    await until("nothing is open", async () => (await front.balance.listener("https")).active === 0);
  });

  test("an upgraded connection goes both ways", async (t) => {
    const front = await startFront(t, web((await webPod(t, "a")).channel));
    await front.joined();
    const request = front.request("/", { headers: { connection: "Upgrade", upgrade: "echo" } });
    request.end();
    const [response, socket] = await once(request, "upgrade");
    assert.equal(response.statusCode, 101);
    for (const text of ["one", "two", "three"]) {
      socket.write(`${text}\n`);
      assert.equal(await readLine(socket), text);
    }
    socket.destroy();
    await until("nothing is open", async () => (await front.balance.listener("https")).active === 0);
  });

  test("large bodies arrive as they were sent", async (t) => {
    const front = await startFront(t, web((await webPod(t, "a")).channel));
    await front.joined();
    const body = Buffer.concat([...pieces(SIZE)]);
    const expected = hashOfPieces(SIZE);
    const upload = front.get("/", { method: "POST" }, body);
    const request = front.request(`/bytes/${SIZE}`);
    request.end();
    const [response] = await once(request, "response");
    assert.equal(await hashOf(response), expected);
    assert.equal((await upload).body, expected);
  });

  test("so do large streams of the TCP lane", async (t) => {
    const front = await startFront(t, web((await webPod(t, "a")).channel) + raw((await rawPod(t)).address));
    await front.joined();
    const { socket, say } = await openRaw(t, front);
    socket.write(`up ${SIZE}\n`);
    for (const piece of pieces(SIZE)) if (!socket.write(piece)) await once(socket, "drain");
    assert.equal(await readLine(socket), hashOfPieces(SIZE));
    socket.write(`down ${SIZE}\n`);
    assert.equal(await hashOfNext(socket, SIZE), hashOfPieces(SIZE));
    assert.equal(await say("still there"), "still there");
    assert.equal((await front.guests())[0]?.connections, 1);
  });

  test("a client that does not read stops its pod, and not the others", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web(pod.channel));
    const { pid } = await front.joined();
    for (let i = 0; i < 20; i++) await front.get("/");
    const before = memory(pid);
    const request = front.request(`/bytes/${2 * SIZE}`);
    request.end();
    const [response] = await once(request, "response");
    let [seen, same] = [-1, 0];
    await until("the pod stands still", async () => {
      assert.equal((await front.get("/")).body, "a");
      same = seen === pod.sent ? same + 1 : 0;
      seen = pod.sent;
      return same === 30;
    });
    assert.ok(seen < SIZE, `${seen} bytes went somewhere`);
    assert.ok(memory(pid) < before + 8e6, `${before} became ${memory(pid)}`);
    assert.equal(await hashOf(response), hashOfPieces(2 * SIZE));
  });

  test("no request is lost over reloads, and each takes the guests along", async (t) => {
    const [a, b] = [await webPod(t, "a"), await webPod(t, "b")];
    const front = await startFront(t, web(a.channel));
    await front.joined();
    const agent = keepAlive(t, 8);
    let [over, served] = [false, 0];
    const crowd = Array.from({ length: 8 }, async () => {
      while (!over) {
        const reply = await front.get("/", { agent });
        assert.equal(reply.status, 200);
        served += 1;
      }
    });
    for (let i = 0; i < 20; i++) {
      const [pod, name] = i % 2 ? [a, "a"] : [b, "b"];
      const answer = await front.balance.reload(front.conf(web(pod.channel)));
      assert.equal(answer.ok, true);
      assert.equal((await front.get("/")).body, name);
    }
    over = true;
    await Promise.all(crowd);
    assert.ok(served > 0);
    const { generation, guests } = await front.status();
    assert.deepEqual([generation, guests.map((guest) => guest.generation)], [21, [21]]);
  });
});
