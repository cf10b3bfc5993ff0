// SPDX-License-Identifier: Apache-2.0
// queue= and queue-timeout=: who waits, in which order, how it ends.
import assert from "node:assert/strict";
import type net from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { startBackend, text } from "./http-lib/backend.ts";
import { startLane } from "./http-lib/lane.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";
import { type Balance, start } from "./lib/balance.ts";
import { connect, freePort, named, type Pod, pod, readAll, readLine } from "./lib/net.ts";
import { proxyV1 } from "./lib/proxy.ts";
import { until } from "./lib/until.ts";

const queued = async (balance: Balance, n: number): Promise<void> =>
  until(`${n} wait`, async () => (await balance.pool("p")).queued === n);

const unused = async (balance: Balance): Promise<void> =>
  until("nothing is held", async () => {
    const { places, queued: waiting } = await balance.pool("p");
    return places === 0 && waiting === 0;
  });

/** A client that says its name, if it has one, and ends when the other side does. */
function client(t: TestContext, target: number | string, name?: string): net.Socket {
  const socket = connect(t, target);
  if (name !== undefined) socket.write(`${name}\n`);
  return socket.on("end", () => socket.end()).resume();
}

/** Reads a client's line, notes it, and holds the connection until told to end the oldest. */
async function holding(t: TestContext): Promise<Pod & { order: string[]; end(): void; most: number }> {
  const open: net.Socket[] = [];
  const more = { order: [] as string[], end: () => open.shift()?.end("done\n"), most: 0 };
  const me = await pod(t, async (socket) => {
    open.push(socket);
    held.most = Math.max(held.most, open.length);
    more.order.push(await readLine(socket));
  });
  const held = Object.assign(me, more);
  return held;
}

test("one worker serves those who wait in the order in which they came, and never more than there are places", async (t) => {
  const a = await holding(t);
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}
     pool p maxconn=3 queue=40 queue-timeout=60 ${a.address}
     route l * p`,
  );
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 43; i++) {
    answers.push(readAll(client(t, port, String(i))));
    await until("it is in", async () => {
      const { places = 0, queued: waiting = 0 } = await balance.pool("p");
      return places + waiting === i + 1;
    });
  }
  assert.equal(await readAll(connect(t, port)), "", "the queue is full");
  assert.equal((await balance.pool("p")).limited, 1);
  for (let i = 0; i < 43; i++) {
    await until("the next is served", () => a.order.length >= Math.min(43, i + 3));
    assert.ok(a.order.length <= i + 3);
    a.end();
  }
  assert.deepEqual(await Promise.all(answers), new Array(43).fill("done\n"));
  // Those served at the same time tell their names in any order.
  for (const [i, name] of a.order.entries()) assert.ok(Math.abs(Number(name) - i) < 3, `${name} came ${i}th`);
  assert.equal(a.most, 3);
  await unused(balance);
  assert.equal((await balance.pool("p")).queue_timeouts, 0);
});

test("four workers hand places on among each other until all of 3,000 are served, within the limits", async (t) => {
  let [now, most] = [0, 0];
  const serve = (socket: net.Socket): void => {
    now += 1;
    most = Math.max(most, now);
    setImmediate(() => {
      now -= 1;
      socket.end("done\n");
    });
  };
  const pods = [await pod(t, serve), await pod(t, serve)];
  const port = await freePort();
  const balance = await start(
    t,
    `workers 4
     listen l tcp:127.0.0.1:${port}
     pool p maxconn=9 queue=3000 queue-timeout=120 ${pods[0]?.address}:6 ${pods[1]?.address}:4
     route l * p`,
  );
  const answers = await Promise.all(Array.from({ length: 3000 }, () => readAll(client(t, port))));
  assert.equal(answers.filter((answer) => answer === "done\n").length, 3000);
  assert.ok(most <= 9, `${most} at a time`);
  await unused(balance);
  const numbers = await balance.pool("p");
  assert.deepEqual([numbers.limited, numbers.queue_timeouts], [0, 0]);
});

test("a place freed in one worker goes to one who waits in another", async (t) => {
  const a = await holding(t);
  const port = await freePort();
  const balance = await start(
    t,
    `workers 4
     listen l tcp:127.0.0.1:${port}
     pool p maxconn=1 queue=3000 queue-timeout=60 ${a.address}
     route l * p`,
  );
  const all: Promise<string>[] = [];
  const busy = async (): Promise<number> =>
    (await balance.status()).workers.filter((w) => w.connections > 0).length;
  do {
    for (let i = 0; i < 40; i++) all.push(readAll(client(t, port, String(i))));
    await queued(balance, all.length - 1);
  } while ((await busy()) < 3 && all.length < 2000);
  assert.ok((await busy()) >= 2, "the clients are with several workers");
  t.diagnostic(`${all.length} clients`);
  for (let i = 1; i <= all.length; i++) {
    await until("the next has the place", () => a.order.length === i);
    a.end();
  }
  assert.deepEqual(await Promise.all(all), new Array(all.length).fill("done\n"));
  assert.equal(a.most, 1);
});

test("channels at their MAXC make clients wait too, and the time they have is limited", async (t) => {
  const a = await holding(t);
  const port = await freePort();
  const balance = await start(
    t,
    `workers 2
     listen l tcp:127.0.0.1:${port}
     pool p queue=5 queue-timeout=0.5 ${a.address}:2
     route l * p`,
  );
  for (let i = 0; i < 2; i++) client(t, port, "x");
  await until("two are served", () => a.order.length === 2);
  const waiting = Array.from({ length: 5 }, () => readAll(connect(t, port)));
  await queued(balance, 5);
  assert.deepEqual(await Promise.all(waiting), new Array(5).fill(""), "closed when their time is over");
  const numbers = await balance.pool("p");
  assert.deepEqual([numbers.queued, numbers.queue_timeouts, numbers.limited], [0, 5, 0]);
  client(t, port, "y");
  await queued(balance, 1);
  a.end();
  await until("the place is used", () => a.order.includes("y"));
});

test("in a strictly hashed pool each waits for its own channel, and no one for another's", async (t) => {
  const pods = [await holding(t), await holding(t)] as const;
  const port = await freePort();
  const balance = await start(
    t,
    `workers 2
     listen l tcp:127.0.0.1:${port} proxy=v1
     pool p -S queue=20 queue-timeout=60 ${pods[0].address}:1 ${pods[1].address}:1 %
     route l * p`,
  );
  const from = (n: number): net.Socket => {
    const socket = connect(t, port);
    socket.write(Buffer.concat([proxyV1(`10.0.0.${n}`), Buffer.from(`${n}\n`)]));
    return socket.on("end", () => socket.end()).resume();
  };
  from(1);
  await until("the first is served", () => pods[0].order.length + pods[1].order.length === 1);
  const [full, free] = pods[0].order.length === 1 ? pods : [pods[1], pods[0]];
  for (let n = 2; free.order.length === 0; n++) {
    assert.ok(n < 20);
    from(n);
    await until("it is served, or waits", async () => {
      const { queued: waiting = 0 } = await balance.pool("p");
      return waiting + free.order.length === n - 1;
    });
  }
  // Nobody who waits for the full channel stood in its way.
  assert.equal(full.order.length, 1);
  const waiting = (await balance.pool("p")).queued ?? 0;
  for (let n = 0; n < waiting; n++) {
    full.end();
    await until("the next has its channel", () => full.order.length === n + 2);
  }
  assert.equal(free.order.length, 1);
});

test("HTTP: waiting ends in 503 in time, or in the answer; the connection goes on either way", async (t) => {
  const held: net.Socket[] = [];
  const backend = await startBackend(t, (request, socket) => {
    if (!request.line.includes("/slow")) return text("fast");
    held.push(socket);
    return undefined;
  });
  const lane = await startLane(
    t,
    `pool p maxconn=1 queue=2 queue-timeout=0.5 ${backend.channel}\ndefault main p\n`,
    {
      workers: 4,
    },
  );
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => RawClient.open(lane.port)));
  assert.ok(first && second && third);
  t.after(() => {
    for (const one of [first, second, third]) one.close();
  });
  first.send(get("/slow"));
  await until("the place is taken", () => held.length === 1);
  second.send(get("/"));
  third.send(get("/"));
  for (const one of [second, third]) {
    const answer = await one.answer();
    assert.equal(answer.status, 503);
    assert.match(answer.fields.get("retry-after") ?? "", /^\d+$/);
  }
  assert.equal((await lane.balance.pool("p")).queue_timeouts, 2);
  assert.equal(backend.requests.length, 1, "no pod saw what was refused");
  await lane.balance.load(
    lane.conf(`pool p maxconn=1 queue=2 queue-timeout=60 ${backend.channel}\ndefault main p\n`),
  );
  // Pipelined: the one behind waits for the one before, then for its own turn.
  second.send(get("/a") + get("/b"));
  third.send(get("/c"));
  await queued(lane.balance, 2);
  held[0]?.write(text("slow"));
  assert.equal((await first.answer()).body.toString(), "slow");
  for (const one of [second, second, third]) assert.equal((await one.answer()).body.toString(), "fast");
  await unused(lane.balance);
});

test("who leaves while waiting is out at once and no pod hears of it", async (t) => {
  const a = await holding(t);
  const port = await freePort();
  const sock = (dir: string) => path.join(dir, "in.sock");
  const backend = await startBackend(t, () => undefined);
  const lane = await startLane(
    t,
    `pool w maxconn=1 queue=5 queue-timeout=60 ${backend.channel}\ndefault main w\n`,
  );
  const balance = await start(
    t,
    `workers 2
     listen l tcp:127.0.0.1:${port}
     listen u unix:${sock(lane.balance.dir)}
     pool p maxconn=1 queue=9 queue-timeout=60 ${a.address}
     route l * p
     route u * p`,
  );
  client(t, port, "holds");
  await until("the place is taken", () => a.order.length === 1);
  const [reset, closed, gone, half] = [
    connect(t, port),
    connect(t, port),
    connect(t, sock(lane.balance.dir)),
    connect(t, port),
  ];
  reset.write("never\n");
  half.end("half\n"); // has said all it wants to say, and waits for the answer
  await queued(balance, 4);
  reset.resetAndDestroy();
  await queued(balance, 3);
  closed.destroy();
  await queued(balance, 2);
  gone.destroy();
  await queued(balance, 1);
  const answer = readAll(half);
  a.end();
  await until("the half-closed one is served", () => a.order.length === 2);
  a.end();
  assert.equal(await answer, "done\n");
  assert.deepEqual(a.order, ["holds", "half"]);
  // HTTP over TCP: an end without anything more means that nobody waits for the answer.
  const holder = await RawClient.open(lane.port);
  const leaver = await RawClient.open(lane.port);
  t.after(() => holder.close());
  holder.send(get("/holds"));
  await until("the place is taken", () => backend.requests.length === 1);
  leaver.send(get("/never"));
  await until("it waits", async () => (await lane.balance.pool("w")).queued === 1);
  leaver.close();
  await until("it does not", async () => (await lane.balance.pool("w")).queued === 0);
  assert.equal(backend.requests.length, 1);
});

test("a reload while clients wait: more places, another queue, no queue, no pool", async (t) => {
  const a = await holding(t);
  const b = await named(t, "b");
  const port = await freePort();
  const conf = (pool: string) => `workers 2
     listen l tcp:127.0.0.1:${port}
     ${pool}`;
  const balance = await start(t, conf(`pool p maxconn=1 queue=9 queue-timeout=60 ${a.address}\nroute l * p`));
  const open = (name: string): Promise<string> => readAll(client(t, port, name));
  const first = open("0");
  await until("the place is taken", () => a.order.length === 1);
  const others = ["1", "2", "3", "4"].map(open);
  await queued(balance, 4);
  await balance.reload(conf(`pool p maxconn=2 queue=9 queue-timeout=60 ${a.address}\nroute l * p`));
  await until("another one is served", () => a.order.length === 2);
  await queued(balance, 3);
  // No queue any more: who finds no place is refused, who has one stays.
  await balance.reload(conf(`pool p maxconn=3 ${a.address}\nroute l * p`));
  await until("a third one is served", () => a.order.length === 3);
  assert.deepEqual((await balance.pool("p")).queued, 0);
  await balance.reload(conf(`pool p maxconn=3 queue=9 queue-timeout=60 ${a.address}\nroute l * p`));
  const last = open("last");
  await queued(balance, 1);
  await balance.reload(conf(`pool other ${b.address}\nroute l * other`));
  assert.equal(await last, "", "its pool is gone");
  for (let i = 0; i < 3; i++) a.end();
  const answers = await Promise.all([first, ...others]);
  assert.equal(answers.filter((answer) => answer === "done\n").length, 3);
  assert.equal(answers.filter((answer) => answer === "").length, 2);
  await balance.reload(conf(`pool p maxconn=1 queue=9 ${b.address}\nroute l * p`));
  await unused(balance);
});

test("at the end those who wait may still have their turn", async (t) => {
  const a = await holding(t);
  const port = await freePort();
  const balance = await start(
    t,
    `workers 3
     grace 60
     listen l tcp:127.0.0.1:${port}
     pool p maxconn=2 queue=20 queue-timeout=60 ${a.address}
     route l * p`,
  );
  const answers = Array.from({ length: 12 }, (_, i) => readAll(client(t, port, String(i))));
  await queued(balance, 10);
  balance.kill("SIGTERM");
  for (let i = 1; i <= 12; i++) {
    await until("the next is served", () => a.order.length >= i);
    a.end();
  }
  assert.deepEqual(await Promise.all(answers), new Array(12).fill("done\n"));
  assert.equal(await balance.ended(), 0);
});

test("whatever happens in whichever order, nothing is left over", async (t) => {
  let seed = 4711;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  const a = await pod(t, (socket) => {
    const leave = (): void => {
      if (random(3) === 0) socket.resetAndDestroy();
      else socket.end("done\n");
    };
    setTimeout(leave, random(4));
  });
  const port = await freePort();
  const conf = (pool: string): string => `workers 3
     listen l tcp:127.0.0.1:${port}
     pool p client-limit=100000 ${pool}
     route l * p`;
  const dead = `127.0.0.1:${await freePort()}`;
  const pools = [
    `maxconn=8 queue=50 queue-timeout=0.2 ${a.address}`,
    `maxconn=8 queue=500 queue-timeout=30 ${a.address} ${dead}`,
    `queue=500 queue-timeout=30 ${dead} ${a.address}:8`,
    `maxconn=8 ${a.address}`,
    `maxconn=7 queue=500 queue-timeout=30 lb=leastconn send-proxy=v1 ${a.address}:6`,
  ];
  const balance = await start(t, conf(pools[0] as string));
  const ends: Promise<unknown>[] = [];
  for (let step = 0; step < 1200; step++) {
    const socket = client(t, port, random(2) === 0 ? "x" : undefined);
    ends.push(new Promise((done) => socket.once("close", done)));
    const leaves = random(8);
    if (leaves === 0) setTimeout(() => socket.destroy(), random(20));
    else if (leaves === 1) setTimeout(() => socket.resetAndDestroy(), random(20));
    else if (leaves === 2) setTimeout(() => socket.end(), random(20));
    if (random(80) === 0) await balance.reload(conf(pools[random(pools.length)] as string));
    if (random(10) === 0) await new Promise((done) => setImmediate(done));
  }
  await Promise.all(ends);
  await until("nothing is held", async () => (await balance.listener("l")).active === 0);
  await unused(balance);
  await balance.reload(conf(pools[1] as string));
  const all = Array.from({ length: 60 }, () => readAll(client(t, port)));
  await Promise.all(all);
  await unused(balance);
  assert.ok((await balance.channels("p")).every((channel) => channel.active === 0));
});
