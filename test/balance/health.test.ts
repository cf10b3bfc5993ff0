// SPDX-License-Identifier: Apache-2.0
// Endpoints that die under load: what clients notice, how soon nobody is sent there any more, and how they come back.
import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "./http-lib/backend.ts";
import { get } from "./http-lib/raw-client.ts";
import { type Balance, type Channel, start } from "./lib/balance.ts";
import { blackHole, connect, freePort, type Pod, pod, readAll } from "./lib/net.ts";
import { until } from "./lib/until.ts";

const HOST = "a.example";
const ANSWER = text("ok");

type Lane = "tcp" | "http";

/** Answers every request, in either lane; or resets whoever connects. */
interface Mortal extends Pod {
  resets: boolean;
}

async function mortal(t: TestContext, port = 0): Promise<Mortal> {
  const me: Mortal = Object.assign(
    await pod(
      t,
      (socket) => {
        if (me.resets) socket.resetAndDestroy();
        else socket.on("data", () => socket.write(ANSWER)).on("end", () => socket.end());
      },
      port,
    ),
    { resets: false },
  );
  return me;
}

async function balance(
  t: TestContext,
  lane: Lane,
  pool: string,
): Promise<{ port: number; balance: Balance }> {
  const port = await freePort();
  const rule = lane === "tcp" ? "route l * p" : "default main p";
  const table = lane === "tcp" ? "" : "table=main";
  return {
    port,
    balance: await start(
      t,
      `workers 2\ngrace 1\nlisten l tcp:127.0.0.1:${port} ${table}\npool p ${pool}\n${rule}`,
    ),
  };
}

/** One request on a connection of its own. The HTTP lane keeps the pods' connections all the same. */
async function ask(port: number, extra = "Connection: close\r\n"): Promise<boolean> {
  const socket = connect(undefined, port);
  socket.write(get("/", HOST, extra));
  socket.end();
  const answer = await readAll(socket);
  socket.destroy();
  return answer.endsWith("\r\n\r\nok");
}

/** So many clients, each with one request after the other until told to stop. */
class Load {
  answered = 0;
  readonly failed: number[] = []; // when each began
  stopped = false;
  readonly #clients: Promise<void>[];

  constructor(port: number, clients: number) {
    const go = async (): Promise<void> => {
      while (!this.stopped) {
        const began = performance.now();
        if (await ask(port)) this.answered += 1;
        else this.failed.push(began);
      }
    };
    this.#clients = Array.from({ length: clients }, go);
  }

  async answers(more: number): Promise<void> {
    const goal = this.answered + more;
    await until(`${more} more answers`, () => this.answered >= goal);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.#clients);
  }
}

async function channel(b: Balance, i: number): Promise<Channel> {
  const found = (await b.channels("p"))[i];
  assert.ok(found);
  return found;
}

async function reaches(b: Balance, i: number, state: string): Promise<void> {
  await until(`channel ${i} is ${state}`, async () => (await channel(b, i)).state === state);
}

/** Sees to it that a test that needs only one channel ejected begins that way. */
async function ejected(b: Balance, port: number, i: number): Promise<void> {
  await until(`channel ${i} is ejected`, async () => {
    await ask(port);
    return (await channel(b, i)).state === "ejected";
  });
}

const CLIENTS = 16;
const FAILS = 3;

for (const lane of ["tcp", "http"] as const)
  suite(`${lane} lane, an endpoint that dies under load`, () => {
    test("refuses: whoever comes later notices nothing", async (t) => {
      const pods = [await mortal(t), await mortal(t), await mortal(t)];
      const b = await balance(t, lane, `eject=${FAILS},60 ${pods.map((p) => p.address).join(" ")}`);
      const load = new Load(b.port, CLIENTS);
      await load.answers(200);
      assert.deepEqual(load.failed, []);
      const died = performance.now();
      await pods[1]?.close();
      const closed = performance.now();
      await reaches(b.balance, 1, "ejected");
      const seen = performance.now();
      await load.answers(200);
      await load.stop();
      t.diagnostic(
        `${lane}, refuses: ejected within ${(seen - died).toFixed(0)} ms, ${load.failed.length} of ${load.answered} failed`,
      );
      assert.deepEqual(
        load.failed.filter((began) => began > closed),
        [],
        "begun after it had died",
      );
      assert.ok(load.failed.length <= CLIENTS, "no more than were under way");
      const dead = await channel(b.balance, 1);
      assert.equal(dead.ejections, 1);
      assert.ok(dead.failed <= FAILS + CLIENTS, `tried ${dead.failed} times`);
      await b.balance.logged(/pool p: 127\.0\.0\.1:\d+: ejected for \d+\.\d s/);
    });

    test("hangs: whoever meets it is served by another one", async (t) => {
      const pods = [await mortal(t), await mortal(t)];
      const hole = await blackHole(t);
      const b = await balance(
        t,
        lane,
        `-t 0.3 eject=${FAILS},60 ${pods.map((p) => p.address).join(" ")} ${hole}`,
      );
      const began = performance.now();
      const load = new Load(b.port, CLIENTS);
      await reaches(b.balance, 2, "ejected");
      const seen = performance.now();
      await load.answers(200);
      await load.stop();
      t.diagnostic(
        `${lane}, hangs (connect timeout 300 ms): ejected within ${(seen - began).toFixed(0)} ms, ${load.failed.length} of ${load.answered} failed`,
      );
      assert.deepEqual(load.failed, []);
      const dead = await channel(b.balance, 2);
      assert.ok(dead.failed <= FAILS + CLIENTS, `tried ${dead.failed} times`);
    });

    test("resets what it accepts: only what is under way on it fails", async (t) => {
      const pods = [await mortal(t), await mortal(t), await mortal(t)];
      const b = await balance(t, lane, `eject=${FAILS},60 ${pods.map((p) => p.address).join(" ")}`);
      const load = new Load(b.port, CLIENTS);
      await load.answers(200);
      const [first, dying] = pods as [Mortal, Mortal];
      const died = performance.now();
      dying.resets = true;
      for (const socket of dying.sockets) socket.resetAndDestroy();
      await reaches(b.balance, 1, "ejected");
      const seen = performance.now();
      const accepted = dying.accepted;
      await load.answers(200);
      await load.stop();
      t.diagnostic(
        `${lane}, resets: ejected within ${(seen - died).toFixed(0)} ms, ${load.failed.length} of ${load.answered} failed`,
      );
      // A request that may be repeated goes to the next channel; a TCP connection that bytes went over cannot.
      if (lane === "http") assert.deepEqual(load.failed, []);
      else assert.ok(load.failed.length <= FAILS + CLIENTS, `${load.failed.length} failed`);
      assert.ok(dying.accepted - accepted <= CLIENTS, "nobody is sent there any more");
      assert.equal((await channel(b.balance, 0)).state, "up");
      assert.ok(first.accepted > 0);
    });

    test("comes back: one connection finds out, then all go there again", async (t) => {
      const pods = [await mortal(t), await mortal(t)];
      const [gone] = pods as [Mortal];
      const b = await balance(t, lane, `eject=1,0.3,0.6 ${pods.map((p) => p.address).join(" ")}`);
      await gone.close();
      await ejected(b.balance, b.port, 0);
      // Nobody there: each time a single connection finds that out, and its client is served elsewhere.
      const load = new Load(b.port, CLIENTS);
      await until("a few probes", async () => (await channel(b.balance, 0)).ejections >= 3);
      assert.deepEqual(load.failed, []);
      const { failed, ejections } = await channel(b.balance, 0);
      assert.ok(failed <= ejections + CLIENTS, `${failed} tries for ${ejections} ejections`);
      const again = await mortal(t, gone.port);
      await reaches(b.balance, 0, "up");
      const before = again.accepted;
      await load.answers(100);
      await load.stop();
      assert.deepEqual(load.failed, []);
      if (lane === "tcp") assert.ok(again.accepted > before + 10);
      await b.balance.logged(/pool p: 127\.0\.0\.1:\d+: returned/);
    });
  });

test("the last usable channel stays in, and serves as soon as it is back", async (t) => {
  const ports = [await freePort(), await freePort()];
  const b = await balance(t, "http", `eject=1,60 ${ports.map((p) => `127.0.0.1:${p}`).join(" ")}`);
  for (let i = 0; i < 10; i++) assert.equal(await ask(b.port), false);
  const states = (await b.balance.channels("p")).map((c) => c.state);
  assert.deepEqual(states.toSorted(), ["ejected", "up"]);
  await mortal(t, ports[states.indexOf("up")]);
  assert.equal(await ask(b.port), true);
});

test("when the healthy ones fail, an ejected one that is back serves before its time", async (t) => {
  const ports = [await freePort(), await freePort()];
  const b = await balance(t, "http", `eject=1,60 ${ports.map((p) => `127.0.0.1:${p}`).join(" ")}`);
  for (let i = 0; i < 4; i++) assert.equal(await ask(b.port), false);
  const states = (await b.balance.channels("p")).map((c) => c.state);
  await mortal(t, ports[states.indexOf("ejected")]);
  for (let i = 0; i < 4; i++) assert.equal(await ask(b.port), true);
});

test("while one connection probes, nobody else is sent there", async (t) => {
  const good = await mortal(t);
  const hole = await blackHole(t);
  const b = await balance(t, "tcp", `-t 0.5 eject=1,0.2,0.2 ${hole} ${good.address}`);
  await ejected(b.balance, b.port, 0);
  const load = new Load(b.port, CLIENTS);
  let most = 0;
  await until("a few probes", async () => {
    const { active, ejections, state } = await channel(b.balance, 0);
    if (state === "probing") most = Math.max(most, active);
    return ejections >= 4;
  });
  await load.stop();
  assert.equal(most, 1);
  assert.deepEqual(load.failed, []);
});

test("a worker that is killed while it probes leaves no claim and no count behind", async (t) => {
  const good = await mortal(t);
  const hole = await blackHole(t);
  const b = await balance(t, "tcp", `-t 0.5 eject=1,0.2,0.2 ${hole} ${good.address}`);
  await ejected(b.balance, b.port, 0);
  const load = new Load(b.port, 4);
  await until("a probe is under way", async () => {
    const { active, state } = await channel(b.balance, 0);
    return active === 1 && state === "probing";
  });
  const { ejections } = await channel(b.balance, 0);
  const before = await b.balance.workers();
  for (const pid of before) process.kill(pid, "SIGKILL");
  await until("others take their place", async () =>
    (await b.balance.workers()).every((pid) => pid > 0 && !before.includes(pid)),
  );
  await load.answers(20);
  await until(
    "the channel is probed again",
    async () => (await channel(b.balance, 0)).ejections > ejections + 1,
  );
  await load.stop();
  await until("no place is held", async () => (await channel(b.balance, 0)).active === 0);
});

test("a client that leaves or is slow, an error status and a late answer say nothing against a channel", async (t) => {
  const error = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno";
  const bad = await pod(t, (socket) => {
    socket.on("data", (bytes) => {
      if (bytes.includes("/slow")) return;
      if (bytes.includes("/upload")) {
        socket.end();
        return;
      }
      socket.write(error);
    });
  });
  const other = await mortal(t);
  const b = await balance(t, "http", `-r 0.2 eject=1,60 ${bad.address}*200 ${other.address}`);
  for (let i = 0; i < 5; i++) await ask(b.port);
  for (let i = 0; i < 5; i++) {
    const socket = connect(t, b.port);
    socket.write(get("/slow", HOST));
    if (i % 2 === 0) await sleep(20).then(() => socket.resetAndDestroy());
    else await once(socket, "data"); // 504
  }
  for (let i = 0; i < 5; i++) {
    const socket = connect(t, b.port); // slower than the pod likes
    socket.write(`POST /upload HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 9\r\n\r\nhalf`);
    await once(socket, "data"); // 502
  }
  assert.deepEqual(
    (await b.balance.channels("p")).map((c) => c.ejections),
    [0, 0],
  );
  assert.ok(bad.accepted > 0);
});
