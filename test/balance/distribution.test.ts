// SPDX-License-Identifier: Apache-2.0
// Who gets the connections: real ones, over four workers.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { alive, type Balance, start } from "./lib/balance.ts";
import { connect, freePort, named, type Pod, readLine } from "./lib/net.ts";
import { proxyV2 } from "./lib/proxy.ts";
import { until } from "./lib/until.ts";

const WORKERS = 4;

interface Setting {
  balance: Balance;
  port: number;
  pods: Pod[];
  conf(pool: (pods: string[]) => string): string;
}

/** `n` pods that say their number, and Balance with one pool `p` in front of them. */
async function setUp(t: TestContext, n: number, pool: (pods: string[]) => string): Promise<Setting> {
  const pods = await Promise.all(Array.from({ length: n }, (_, i) => named(t, String(i))));
  const port = await freePort();
  const addresses = pods.map((pod) => pod.address);
  const conf = (line: (pods: string[]) => string) =>
    `workers ${WORKERS}\nlisten l tcp:127.0.0.1:${port} proxy=v2\npool p ${line(addresses)}\nroute l * p`;
  return { balance: await start(t, conf(pool)), port, pods, conf };
}

/** A connection of this client, and the number of the pod it was given to; undefined when it was closed. */
async function open(t: TestContext, port: number, client?: string): Promise<[Socket, number | undefined]> {
  const socket = connect(t, port);
  socket.write(proxyV2(undefined, client));
  return [socket, await readLine(socket).then(Number, () => undefined)];
}

/** `total` connections, so many at a time, that stay open; all of them got a pod. */
async function hold(t: TestContext, port: number, total: number, atATime = 50): Promise<[Socket, number][]> {
  const held: [Socket, number][] = [];
  while (held.length < total) {
    const some = Math.min(atATime, total - held.length);
    for (const [socket, pod] of await Promise.all(Array.from({ length: some }, () => open(t, port)))) {
      assert.notEqual(pod, undefined, "a connection got no pod");
      held.push([socket, pod as number]);
    }
  }
  return held;
}

const accepted = (pods: Pod[]) => pods.map((pod) => pod.accepted);
const spread = (numbers: number[]) => Math.max(...numbers) - Math.min(...numbers);
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

async function active(balance: Balance): Promise<number[]> {
  return (await balance.channels("p")).map((channel) => channel.active);
}

/** Balance counts exactly what the pods see, connection by connection. */
async function settled(balance: Balance, pods: Pod[]): Promise<number[]> {
  await until("the counters say what the pods see", async () => {
    assert.deepEqual(
      await active(balance),
      pods.map((pod) => pod.sockets.size),
    );
    return true;
  });
  return active(balance);
}

async function release(sockets: Socket[]): Promise<void> {
  await Promise.all(
    sockets.map(async (socket) => {
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
    }),
  );
}

test("round robin is exact to one connection", async (t) => {
  const { balance, port, pods } = await setUp(t, 5, (a) => a.join(" "));
  await hold(t, port, 1003);
  assert.ok(spread(accepted(pods)) <= 1, accepted(pods).join(" "));
  const { workers } = await balance.status();
  assert.equal(sum(workers.map((w) => w.connections)), 1003);
  assert.ok(workers.filter((w) => w.connections > 0).length > 1, "one worker did it all");
});

test("weights are met within 2 %", async (t) => {
  const weights = [1, 2, 5, 12];
  const { port, pods } = await setUp(t, 4, (a) => a.map((pod, i) => `${pod}*${weights[i]}`).join(" "));
  await hold(t, port, 1000);
  for (const [i, weight] of weights.entries()) {
    const expected = weight * 50;
    const got = pods[i]?.accepted ?? 0;
    assert.ok(Math.abs(got - expected) <= expected * 0.02, accepted(pods).join(" "));
  }
});

test("a pod without weight gets nothing, and keeps what it has", async (t) => {
  const { balance, port, pods, conf } = await setUp(t, 3, (a) => a.join(" "));
  await hold(t, port, 30);
  await balance.reload(conf((a) => `${a[0]}*0 ${a[1]} ${a[2]}`));
  const later = await hold(t, port, 30);
  assert.deepEqual(accepted(pods), [10, 25, 25]);
  assert.ok(later.every(([, pod]) => pod !== 0));
  assert.equal(pods[0]?.sockets.size, 10);
});

test("least connections are never further than one apart", async (t) => {
  const { balance, port, pods } = await setUp(t, 6, (a) => `lb=leastconn ${a.join(" ")}`);
  let held = await hold(t, port, 400);
  assert.ok(spread(await settled(balance, pods)) <= 1);
  // Some go, wherever they are, and as many come.
  for (let turn = 0; turn < 25; turn++) {
    const gone = held.filter((_, i) => i % 25 === turn);
    held = held.filter((_, i) => i % 25 !== turn);
    await release(gone.map(([socket]) => socket));
    await settled(balance, pods);
    held.push(...(await hold(t, port, gone.length)));
    const now = await settled(balance, pods);
    assert.ok(spread(now) <= 1, now.join(" "));
  }
});

test("a consistent hash moves only the share of the one that leaves", async (t) => {
  const n = 5;
  const clients = Array.from({ length: 1500 }, (_, i) => `10.${i % 7}.${i >> 8}.${i & 255}`);
  const { balance, port, conf } = await setUp(t, n, (a) => `lb=hash ${a.join(" ")}`);
  const whose = async () => {
    const pods: (number | undefined)[] = [];
    for (let i = 0; i < clients.length; i += 50)
      pods.push(
        ...(await Promise.all(
          clients.slice(i, i + 50).map(async (client) => {
            const [socket, pod] = await open(t, port, client);
            socket.destroy();
            return pod;
          }),
        )),
      );
    return pods;
  };
  const before = await whose();
  assert.deepEqual(await whose(), before, "another worker, another pod");
  const had = Array.from({ length: n }, (_, pod) => before.filter((p) => p === pod).length);
  assert.ok(Math.min(...had) > (clients.length / n) * 0.8, had.join(" "));
  // One leaves, and the others stand in another order.
  await balance.reload(conf((a) => `lb=hash ${[a[4], a[1], a[3], a[0]].join(" ")}`));
  const after = await whose();
  const moved = after.filter((pod, i) => pod !== before[i]).length;
  assert.ok(moved <= clients.length * (1 / n + 0.05), `${moved} moved`);
  assert.ok(after.every((pod, i) => pod === before[i] || before[i] === 2));
  assert.ok(after.every((pod) => pod !== 2));
});

test("limits hold in a burst of 5,000 connections", async (t) => {
  const limit = 40;
  for (const strategy of ["rr", "leastconn"]) {
    const line = (a: string[]) => `lb=${strategy} ${a.map((pod) => `${pod}:${limit}`).join(" ")}`;
    const { balance, port, pods } = await setUp(t, 3, line);
    const all = await Promise.all(Array.from({ length: 5000 }, () => open(t, port)));
    // None of them has left, so what a pod has accepted is what it has at a time.
    assert.deepEqual(accepted(pods), [limit, limit, limit]);
    assert.equal(all.filter(([, pod]) => pod !== undefined).length, 3 * limit);
    assert.equal((await balance.listener("l")).no_channel, 5000 - 3 * limit);
    await release(all.map(([socket]) => socket));
    assert.deepEqual(await settled(balance, pods), [0, 0, 0]);
    await balance.stop();
  }
});

test("two choices stay closer than lots would", async (t) => {
  const { balance, port, pods } = await setUp(t, 8, (a) => `lb=p2c ${a.join(" ")}`);
  await hold(t, port, 800);
  const now = await settled(balance, pods);
  // Lots alone: a standard deviation of nearly ten.
  assert.ok(
    now.every((n) => n >= 90 && n <= 110),
    now.join(" "),
  );
});

test("first fills in the order of the file", async (t) => {
  const { balance, port, pods } = await setUp(t, 3, (a) => `lb=first ${a[0]}:3 ${a[1]}:2 ${a[2]}`);
  const held = await hold(t, port, 8, 1);
  assert.deepEqual(
    held.map(([, pod]) => pod),
    [0, 0, 0, 1, 1, 2, 2, 2],
  );
  await release([(held[1] as [Socket, number])[0], (held[3] as [Socket, number])[0]]);
  await settled(balance, pods);
  assert.deepEqual(
    (await hold(t, port, 3, 1)).map(([, pod]) => pod),
    [0, 1, 2],
  );
});

test("a pod that comes starts slowly, those of a new pool do not", async (t) => {
  const options = "slow-start=100000";
  const { balance, port, pods, conf } = await setUp(t, 3, (a) => `${options} ${a[0]} ${a[1]}`);
  await hold(t, port, 20);
  assert.deepEqual(accepted(pods), [10, 10, 0]);
  await balance.reload(conf((a) => `${options} ${a.join(" ")}`));
  await hold(t, port, 420);
  // A tenth of a share: 20 of 420.
  const [one, two, late] = accepted(pods).map((n, i) => (i < 2 ? n - 10 : n)) as [number, number, number];
  assert.ok(late >= 15 && late <= 25, `${one} ${two} ${late}`);
  assert.ok(Math.abs(one - two) <= 5, `${one} ${two} ${late}`);
});

test("the counters survive a worker that is killed, and no limit leaks", async (t) => {
  const limit = 15;
  const line = (a: string[]) => `lb=leastconn ${a.map((pod) => `${pod}:${limit}`).join(" ")}`;
  const { balance, port, pods } = await setUp(t, 3, line);
  for (let turn = 0; turn < WORKERS; turn++) {
    const now = pods.map((pod) => pod.sockets.size);
    await hold(t, port, 3 * limit - sum(now), 9);
    assert.deepEqual(await settled(balance, pods), [limit, limit, limit]);
    assert.equal((await open(t, port))[1], undefined, "more than the limit");
    // While others come and go.
    const busy = Promise.all(Array.from({ length: 40 }, () => open(t, port)));
    const victim = (await balance.workers())[turn] as number;
    process.kill(victim, "SIGKILL");
    await until("it is gone", () => !alive(victim));
    for (const [socket] of await busy) if (turn % 2 === 0) socket.destroy();
    await until("another takes its place", async () => !(await balance.workers()).includes(victim));
    await settled(balance, pods);
    assert.ok(pods.every((pod) => pod.sockets.size <= limit));
  }
  // All workers are others now, and the places are all there still.
  await hold(t, port, 3 * limit - sum(pods.map((pod) => pod.sockets.size)), 9);
  assert.deepEqual(await settled(balance, pods), [limit, limit, limit]);
});
