// SPDX-License-Identifier: Apache-2.0
// What is changed and watched through the control socket while connections come and go.
import assert from "node:assert/strict";
import type net from "node:net";
import { type TestContext, test } from "node:test";
import { ask, type Balance, start } from "./lib/balance.ts";
import { connect, exchange, freePort, named, type Pod, readLine } from "./lib/net.ts";
import { until } from "./lib/until.ts";

interface Setting {
  balance: Balance;
  port: number;
  pods: Pod[];
  /** The configuration with these arguments of the pool. */
  conf: (pool: string) => string;
}

async function twoPods(t: TestContext, workers = 2): Promise<Setting> {
  const pods = [await named(t, "a"), await named(t, "b")];
  const port = await freePort();
  const conf = (pool: string): string =>
    `workers ${workers}\nlisten l tcp:127.0.0.1:${port}\npool p ${pool}\nroute l * p`;
  const balance = await start(t, conf(pods.map((pod) => pod.address).join(" ")));
  return { balance, port, pods, conf };
}

/** Which pods answer to so many connections, sorted. */
async function answers(port: number, n = 6): Promise<string> {
  const seen: string[] = [];
  for (let i = 0; i < n; i++) seen.push((await exchange(port)).trim());
  return seen.sort().join("");
}

async function change(balance: Balance, address: string | undefined, what: string): Promise<void> {
  const [answer] = await ask(balance.control, `channel p ${address} ${what}`);
  assert.deepEqual(answer, { ok: true, pool: "p", channel: address, channels: 1 });
}

async function states(balance: Balance): Promise<string[]> {
  return (await balance.channels("p")).map((channel) => `${channel.state} ${channel.weight}`);
}

test("a channel is disabled, drained, weighted and enabled; what is open on it stays", async (t) => {
  const { balance, port, pods } = await twoPods(t);
  const [a, b] = pods.map((pod) => pod.address);
  const open = [connect(t, port), connect(t, port)];
  const names = await Promise.all(open.map((socket) => readLine(socket)));
  assert.deepEqual(names.sort(), ["a", "b"]);
  for (const [what, state] of [
    ["disable", "disabled 1"],
    ["drain", "draining 0"],
    ["weight=0", "draining 0"],
  ] as const) {
    await change(balance, a, what);
    assert.deepEqual(await states(balance), [state, "up 1"]);
    assert.equal(await answers(port), "bbbbbb");
    await change(balance, a, "enable");
    assert.deepEqual(await states(balance), ["up 1", "up 1"]);
    assert.equal(await answers(port), "aaabbb");
  }
  await change(balance, b, "weight=3");
  assert.deepEqual(await states(balance), ["up 1", "up 3"]);
  assert.equal(await answers(port, 8), "aabbbbbb");
  for (const socket of open) {
    socket.write("still here\n");
    assert.equal(await readLine(socket), "still here");
  }
});

test("when every channel is disabled or drained nobody is served, and the count tells", async (t) => {
  const { balance, port, pods } = await twoPods(t);
  await change(balance, pods[0]?.address, "disable");
  await change(balance, pods[1]?.address, "drain");
  assert.equal(await exchange(port), "");
  assert.equal((await balance.listener("l")).no_channel, 1);
});

test("live settings survive reloads as long as the channel is configured", async (t) => {
  const { balance, port, pods, conf } = await twoPods(t);
  const [a, b] = pods.map((pod) => pod.address);
  await change(balance, a, "drain");
  await change(balance, b, "weight=4");
  const c = await named(t, "c");
  assert.equal((await balance.reload(conf(`${c.address} ${b} ${a}`))).ok, true);
  assert.deepEqual(await states(balance), ["up 1", "up 4", "draining 0"]);
  assert.doesNotMatch(await answers(port), /a/);
  // A weight that the configuration changes is the configuration's again; a drain is a decision about the channel.
  assert.equal((await balance.reload(conf(`${c.address} ${b}*2 ${a}*2`))).ok, true);
  assert.deepEqual(await states(balance), ["up 1", "up 2", "draining 0"]);
  // Another worker than those that were there at the time of the command.
  const [first] = await balance.workers();
  process.kill(first ?? 0, "SIGKILL");
  await until("it is replaced", async () => {
    const workers = await balance.workers();
    return workers.every((pid) => pid > 0 && pid !== first);
  });
  assert.doesNotMatch(await answers(port, 8), /a/);
  // What leaves and comes back is new.
  await balance.reload(conf(`${c.address}`));
  await balance.reload(conf(`${c.address} ${a}`));
  assert.deepEqual(await states(balance), ["up 1", "up 1"]);
});

test("reset counts from zero, and forgets nothing that is under way", async (t) => {
  const { balance, port } = await twoPods(t);
  const open = connect(t, port);
  await readLine(open);
  await answers(port, 5);
  await until("all is counted", async () => {
    const channels = await balance.channels("p");
    return channels.reduce((sum, channel) => sum + channel.active, 0) === 1;
  });
  assert.equal((await ask(balance.control, "reset"))[0]?.ok, true);
  const after = await balance.channels("p");
  const sums = (key: "active" | "total" | "bytes_out"): number =>
    after.reduce((sum, one) => sum + one[key], 0);
  assert.deepEqual([sums("active"), sums("total"), sums("bytes_out")], [1, 0, 0]);
  const listener = await balance.listener("l");
  assert.deepEqual([listener.active, listener.accepted], [1, 0]);
  await answers(port, 2);
  await until("the new ones are counted", async () => (await balance.listener("l")).accepted === 2);
});

test("top lists the busiest pools first, and no more than asked for", async (t) => {
  const pod = await named(t, "a");
  const ports = [await freePort(), await freePort(), await freePort()];
  const lines = ports.map(
    (port, i) => `listen l${i} tcp:127.0.0.1:${port}\npool p${i} ${pod.address}\nroute l${i} * p${i}`,
  );
  const balance = await start(t, lines.join("\n"));
  for (const [i, n] of [1, 3, 2].entries()) {
    for (let k = 0; k < n; k++) await readLine(connect(t, ports[i] ?? 0));
  }
  const all = await ask(balance.control, "top");
  assert.deepEqual(
    all.slice(0, -1).map((one) => [one.pool, one.active, one.total, one.channels]),
    [
      ["p1", 3, 3, 1],
      ["p2", 2, 2, 1],
      ["p0", 1, 1, 1],
    ],
  );
  const two = await ask(balance.control, "top 2");
  assert.deepEqual(
    two.map((one) => one.pool ?? one.pools),
    ["p1", "p2", 3],
  );
  const one = await ask(balance.control, "pools p2");
  assert.deepEqual(
    one.map((line) => line.pool ?? line.pools),
    ["p2", 1],
  );
});

/** A client that follows: its events so far, without their times. */
async function follow(
  t: TestContext,
  balance: Balance,
): Promise<{ socket: net.Socket; events: Record<string, unknown>[] }> {
  const socket = connect(t, balance.control);
  socket.write("follow\n");
  const first = JSON.parse(await readLine(socket));
  assert.deepEqual([first.ok, first.following, typeof first.generation], [true, true, "number"]);
  const events: Record<string, unknown>[] = [];
  let rest = "";
  socket.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { time, ...event } = JSON.parse(line);
      assert.ok(event.event === "lost" || Math.abs(Date.now() / 1000 - time) < 600, line);
      events.push(event);
    }
  });
  socket.resume();
  return { socket, events };
}

test("who follows is told of channels, weights, reloads and workers, as they happen", async (t) => {
  const { balance, pods, conf } = await twoPods(t);
  const [a, b] = pods.map((pod) => pod.address);
  await change(balance, b, "disable");
  const { events } = await follow(t, balance);
  const take = async (what: string): Promise<Record<string, unknown>> => {
    await until(`event: ${what}`, () => events.length > 0);
    return events.shift() ?? {};
  };
  await change(balance, a, "drain");
  assert.deepEqual(await take("drain"), {
    event: "channel",
    pool: "p",
    channel: a,
    state: "draining",
    was: "up",
  });
  await change(balance, b, "enable");
  assert.deepEqual(await take("enable"), {
    event: "channel",
    pool: "p",
    channel: b,
    state: "up",
    was: "disabled",
  });
  await change(balance, b, "enable"); // it is: nothing to tell
  await change(balance, b, "weight=9");
  assert.deepEqual(await take("weight"), { event: "weight", pool: "p", channel: b, weight: 9 });
  await ask(balance.control, "reset");
  assert.deepEqual(await take("reset"), { event: "reset" });
  await balance.reload(`hash abc\n${conf(`${a} ${b}`)}`);
  assert.deepEqual(await take("reload"), { event: "reload", generation: 2, hash: "abc", pools: 1 });
  await balance.reload("bogus");
  const refused = await take("refused");
  assert.equal(refused.event, "reload-refused");
  assert.match(String(refused.error), /bogus/);
  const [pid = 0] = await balance.workers();
  process.kill(pid, "SIGKILL");
  const ended = await take("a worker's end");
  assert.deepEqual([ended.event, ended.pid, ended.signal], ["worker-ended", pid, 9]);
  assert.equal((await take("its successor")).event, "worker-started");
  assert.equal(events.length, 0);
});

test("who follows is told of a channel that a worker disabled (-a)", async (t) => {
  const port = await freePort();
  const gone = `127.0.0.1:${await freePort()}`;
  const pod = await named(t, "a");
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}\npool p -a ${gone} ! ${pod.address}\nroute l * p`,
  );
  const { events } = await follow(t, balance);
  assert.equal((await exchange(port)).trim(), "a");
  await until("it is told", () => events.length > 0);
  assert.deepEqual(events, [{ event: "channel", pool: "p", channel: gone, state: "disabled", was: "up" }]);
});

test("who follows and does not read is told how much was lost, and holds up nobody", async (t) => {
  const { balance, pods } = await twoPods(t);
  const slow = connect(t, balance.control).pause();
  slow.write("follow\n");
  const { events } = await follow(t, balance);
  const sender = connect(t, balance.control);
  // More than the socket's buffers and the stream hold together.
  const rounds = 12_000;
  let answered = 0;
  sender.on("data", (chunk: Buffer) => {
    answered += chunk.toString().split("\n").length - 1;
  });
  for (let i = 1; i <= rounds; i++) sender.write(`channel p ${pods[0]?.address} weight=${(i % 200) + 1}\n`);
  await until("all is answered", () => answered === rounds, 60_000);
  await until("the one who reads has it all", () => {
    const lost = events.reduce((sum, event) => sum + (event.event === "lost" ? Number(event.n) : 0), 0);
    return events.filter((event) => event.event === "weight").length + lost === rounds;
  });
  const late: Record<string, unknown>[] = [];
  let rest = "";
  slow.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) late.push(JSON.parse(line));
  });
  slow.resume();
  // The notice comes with the next event that fits.
  await until("the loss is told", async () => {
    await ask(balance.control, "reset");
    return late.some((event) => event.event === "lost");
  });
  const lost = late.reduce((sum, event) => sum + (event.event === "lost" ? Number(event.n) : 0), 0);
  const kept = late.filter((event) => event.event === "weight").length;
  assert.ok(lost > 0 && kept > 0);
  assert.ok(kept + lost >= rounds, `${kept} + ${lost}`);
});

test("followers that leave, and one that goes on talking, cost nothing and end", async (t) => {
  const { balance, pods } = await twoPods(t);
  for (let i = 0; i < 50; i++) {
    const { socket } = await follow(t, balance);
    socket.write("status\nchannel p x y\n".repeat(50)); // not listened to
    if (i % 2 === 0) socket.end();
    else socket.destroy();
  }
  await change(balance, pods[0]?.address, "drain");
  const { events } = await follow(t, balance);
  await change(balance, pods[0]?.address, "enable");
  await until("it is told", () => events.length === 1);
  assert.equal((await balance.status()).ok, true);
});

test("who follows is told of an endpoint that is ejected, is probed and comes back", async (t) => {
  const [port, podPort] = [await freePort(), await freePort()];
  const b = await named(t, "b");
  const gone = `127.0.0.1:${podPort}`;
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}\npool p eject=2,0.5,5 ${gone} ${b.address}\nroute l * p`,
  );
  const { events } = await follow(t, balance);
  await answers(port, 4);
  await until("it is ejected", () => events.length > 0);
  const { milliseconds, ...ejected } = events[0] ?? {};
  assert.deepEqual(ejected, { event: "channel", pool: "p", channel: gone, state: "ejected", was: "up" });
  assert.ok(Number(milliseconds) > 0 && Number(milliseconds) <= 600, String(milliseconds));
  assert.equal((await balance.channels("p"))[0]?.state, "ejected");
  await named(t, "a", podPort);
  await until("it is back", async () => {
    await answers(port, 2);
    return events.at(-1)?.state === "up";
  });
  // Each change begins where the one before it ended.
  let state: unknown = "up";
  for (const event of events) {
    assert.equal(event.was, state);
    state = event.state;
  }
  assert.match(await answers(port, 4), /aabb/);
});

test("who follows is told what a check finds out, and a command comes before it", async (t) => {
  const [port, podPort] = [await freePort(), await freePort()];
  const b = await named(t, "b");
  const gone = `127.0.0.1:${podPort}`;
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}\npool p check=tcp check-interval=0.1 check-timeout=0.1 rise=1 fall=1 ${gone} ${b.address}\nroute l * p`,
  );
  await until("it is down", async () => (await balance.channels("p"))[0]?.state === "down");
  const { events } = await follow(t, balance);
  await change(balance, gone, "drain");
  await change(balance, gone, "enable");
  const a = await named(t, "a", podPort);
  await until("it is up", async () => (await balance.channels("p"))[0]?.state === "up");
  await a.close();
  await until("all of it is told", () => events.length === 4);
  assert.deepEqual(
    events.map((event) => [event.was, event.state]),
    [
      ["down", "draining"],
      ["draining", "down"],
      ["down", "up"],
      ["up", "down"],
    ],
  );
});
