// SPDX-License-Identifier: Apache-2.0
// maxconn=, client-limit= and MAXC under bursts, over four workers.
import assert from "node:assert/strict";
import type net from "node:net";
import { test } from "node:test";
import { startBackend, text } from "./http-lib/backend.ts";
import { startLane } from "./http-lib/lane.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";
import { start } from "./lib/balance.ts";
import { connect, freePort, named, pod, readAll, readLine } from "./lib/net.ts";
import { proxyV1 } from "./lib/proxy.ts";
import { until } from "./lib/until.ts";

/** Counts what is there at a time, and the most there ever was. */
class Gauge {
  now = 0;
  most = 0;
  up(): void {
    this.now += 1;
    this.most = Math.max(this.most, this.now);
  }
  down(): void {
    this.now -= 1;
  }
}

test("a burst of 5,000 connects passes no limit: pool, channel, client", async (t) => {
  const [all, perClient] = [new Gauge(), new Map<string, Gauge>()];
  const perPod = [new Gauge(), new Gauge()];
  const pods = await Promise.all(
    perPod.map((gauge, i) =>
      pod(t, async (socket) => {
        all.up();
        gauge.up();
        const client = (await readLine(socket)).split(" ")[2] as string;
        const clients = perClient.get(client) ?? new Gauge();
        perClient.set(client, clients);
        clients.up();
        socket.write(`${i}\n`);
      }),
    ),
  );
  const port = await freePort();
  const balance = await start(
    t,
    `workers 4
     listen l tcp:127.0.0.1:${port} proxy=v1
     pool p maxconn=150 client-limit=7 send-proxy=v1 ${pods[0]?.address}:100 ${pods[1]?.address}:80
     route l * p`,
  );
  const sockets = Array.from({ length: 5000 }, (_, i) => {
    const socket = connect(t, port);
    socket.write(proxyV1(`10.0.0.${i % 40}`, 1000 + i));
    return socket;
  });
  const answers = await Promise.all(sockets.map((socket) => readLine(socket).catch(() => "closed")));
  const served = answers.filter((answer) => answer !== "closed").length;
  assert.ok(all.most <= 150, `pool: ${all.most}`);
  assert.ok(
    (perPod[0]?.most ?? 0) <= 100 && (perPod[1]?.most ?? 0) <= 80,
    `channels: ${perPod.map((g) => g.most)}`,
  );
  for (const [client, gauge] of perClient) assert.ok(gauge.most <= 7, `${client}: ${gauge.most}`);
  // Racing workers may each step back once too often, yet the places must be used.
  assert.ok(served >= 140 && served === all.now, `served ${served}`);
  const numbers = await balance.pool("p");
  assert.equal(numbers.places, served);
  assert.equal(numbers.limited, 5000 - served);
  assert.equal((await balance.listener("l")).no_channel, 5000 - served);
  for (const socket of sockets) socket.destroy();
  for (const p of pods) for (const socket of p.sockets) socket.destroy();
  await until("all places are free", async () => (await balance.pool("p")).places === 0);
  // A client that was over its limit has its places again.
  for (let i = 0; i < 7; i++) {
    const socket = connect(t, port);
    socket.write(proxyV1("10.0.0.1"));
    assert.match(await readLine(socket), /^[01]$/);
  }
  const over = connect(t, port);
  over.write(proxyV1("10.0.0.1"));
  assert.equal(await readAll(over), "");
});

test("HTTP: requests under way are limited, not connections; what is over gets 503 and may ask again", async (t) => {
  const [all, perClient] = [new Gauge(), new Map<string, Gauge>()];
  const held: (() => void)[] = [];
  const backend = await startBackend(t, (request, socket) => {
    const client = request.fields.get("x-forwarded-for") as string;
    const clients = perClient.get(client) ?? new Gauge();
    perClient.set(client, clients);
    all.up();
    clients.up();
    held.push(() => {
      all.down();
      clients.down();
      socket.write(text("ok"));
    });
    return undefined;
  });
  const lane = await startLane(t, `pool p maxconn=20 client-limit=4 ${backend.channel}\ndefault main p\n`, {
    workers: 4,
    listener: "proxy=v1",
  });
  const clients = await Promise.all(Array.from({ length: 400 }, () => RawClient.open(lane.port)));
  t.after(() => {
    for (const client of clients) client.close();
  });
  for (const [i, client] of clients.entries())
    client.send(Buffer.concat([proxyV1(`10.0.0.${i % 10}`), Buffer.from(get("/"))]));
  await until("everybody is answered or waited for", () => {
    const refused = clients.filter((client) => client.pending.length > 0).length;
    return refused + held.length === 400;
  });
  assert.ok(all.most <= 20 && all.most >= 17, `pool: ${all.most}`);
  for (const [client, gauge] of perClient) assert.ok(gauge.most <= 4, `${client}: ${gauge.most}`);
  const refused = clients.filter((client) => client.pending.length > 0);
  assert.equal((await lane.balance.pool("p")).limited, refused.length);
  for (const client of refused) {
    const answer = await client.answer();
    assert.equal(answer.status, 503);
    assert.match(answer.fields.get("retry-after") ?? "", /^\d+$/);
  }
  const begun = clients.filter((client) => !refused.includes(client));
  for (const answer of held.splice(0)) answer();
  for (const client of begun) assert.equal((await client.answer()).status, 200);
  assert.equal((await lane.balance.pool("p")).places, 0);
  // The refused ones are still connected.
  const again = refused.slice(0, 3);
  for (const client of again) client.send(get("/"));
  await until("their requests are under way", () => held.length === 3);
  for (const answer of held.splice(0)) answer();
  for (const client of again) assert.equal((await client.answer()).status, 200);
});

test("a reload counts the connections that were there before it", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const conf = (options: string) => `workers 2
     listen l tcp:127.0.0.1:${port}
     pool p ${options} ${a.address}
     route l * p`;
  const balance = await start(t, conf(""));
  const before = Array.from({ length: 5 }, () => connect(t, port));
  for (const socket of before) assert.equal(await readLine(socket), "a");
  await balance.reload(conf("maxconn=6 client-limit=100"));
  assert.equal((await balance.pool("p")).places, 5);
  const sixth = connect(t, port);
  assert.equal(await readLine(sixth), "a");
  assert.equal(await readAll(connect(t, port)), "");
  await balance.reload(conf("maxconn=6 client-limit=5"));
  before.pop()?.destroy();
  await until("a place is free", async () => (await balance.pool("p")).places === 5);
  assert.equal(await readAll(connect(t, port)), "", "the client has five as it is");
  await balance.reload(conf(""));
  assert.equal((await balance.pool("p")).places, 0);
  const others = Array.from({ length: 5 }, () => connect(t, port));
  for (const socket of others) assert.equal(await readLine(socket), "a");
});

test("workers killed with clients served and waiting leave no place taken", async (t) => {
  const a = await pod(t, (socket: net.Socket) => socket.write("a\n"));
  const port = await freePort();
  const balance = await start(
    t,
    `workers 4
     listen l tcp:127.0.0.1:${port} proxy=v1
     pool p maxconn=20 queue=60 queue-timeout=300 client-limit=30 ${a.address}
     route l * p`,
  );
  const lines: string[] = [];
  const open = (n: number): net.Socket[] =>
    Array.from({ length: n }, (_, i) => {
      const socket = connect(t, port);
      socket.write(proxyV1(`10.0.0.${i % 4}`));
      readLine(socket).then(
        (line) => lines.push(line),
        () => {},
      );
      return socket;
    });
  for (let round = 0; round < 4; round++) {
    const sockets = open(80);
    await until("the queue is full", async () => {
      const numbers = await balance.pool("p");
      return numbers.places === 20 && numbers.queued === 60;
    });
    const served = lines.length;
    const victim = (await balance.status()).workers.reduce((a, b) => (a.connections < b.connections ? b : a));
    const lost = victim.connections;
    assert.ok(lost > 0);
    process.kill(victim.pid, "SIGKILL");
    await until("it is replaced", async () => !(await balance.workers()).includes(victim.pid));
    // Those who wait elsewhere have the places it held, at once.
    await until("places are taken again", async () => {
      const numbers = await balance.pool("p");
      const left = 80 - lost;
      return numbers.places === Math.min(20, left) && numbers.queued === Math.max(0, left - 20);
    });
    assert.ok(lines.length >= served);
    for (const socket of sockets) socket.destroy();
    for (const socket of a.sockets) socket.destroy();
    await until("nothing is held", async () => {
      const numbers = await balance.pool("p");
      return numbers.places === 0 && numbers.queued === 0;
    });
  }
  // All four clients still have all their places.
  const sockets = open(20);
  await until("all are served", async () => (await balance.pool("p")).places === 20);
  assert.equal((await balance.pool("p")).queued, 0);
  for (const socket of sockets) socket.destroy();
});
