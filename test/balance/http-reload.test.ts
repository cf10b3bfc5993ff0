// SPDX-License-Identifier: Apache-2.0
// Reloads and lost workers under traffic: no request fails, and what is long-lived goes on.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type RequestBackend, startBackend, startRaw, text } from "./http-lib/backend.ts";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { type Lane, startLane } from "./http-lib/lane.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";
import { until } from "./lib/until.ts";

const post = "POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody";

interface Traffic {
  stop(): Promise<{ requests: number; failures: string[] }>;
}

/** Keep-alive clients that ask all the time; every fourth connects anew after ten requests. */
function startTraffic(port: number, clients: number): Traffic {
  let running = true;
  let requests = 0;
  const failures: string[] = [];
  const ask = async (client: RawClient, i: number): Promise<void> => {
    const answer = await client.request(i % 3 === 0 ? post : get(`/${i}`)).catch((error: Error) => error);
    requests++;
    if (answer instanceof Error) failures.push(`${i}: ${answer.message}`);
    else if (answer.status !== 200) failures.push(`${i}: ${answer.status}`);
  };
  const keep = async (nth: number): Promise<void> => {
    let client = await RawClient.open(port);
    for (let i = 0; running; i++) {
      await ask(client, i);
      if (client.closed || (nth % 4 === 0 && i % 10 === 9)) {
        client.close();
        client = await RawClient.open(port);
      }
      if (i % 20 === 0) await sleep(1); // let the test itself go on
    }
    client.close();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, nth) => keep(nth)));
  return {
    async stop() {
      running = false;
      await all;
      return { requests, failures };
    },
  };
}

async function startTunnel(lane: Lane): Promise<RawClient> {
  const client = await RawClient.open(lane.port);
  client.send(get("/ws", "a.example", "Connection: Upgrade\r\nUpgrade: echo\r\n"));
  assert.equal((await client.answer()).status, 101);
  return client;
}

suite("reloads of the HTTP lane", { skip: skipWithoutBalance() }, () => {
  test("a rollout of 50 reloads, every endpoint replaced: no failed request", async (t) => {
    const pods: RequestBackend[] = [];
    for (let i = 0; i < 4; i++) pods.push(await startBackend(t));
    const rest = () => `pool p -r 10 ${pods.map((p) => p.channel).join(" ")}\ndefault main p\n`;
    const lane = await startLane(t, rest(), { workers: 2 });
    const traffic = startTraffic(lane.port, 16);
    for (let i = 0; i < 50; i++) {
      const [old] = pods.splice(i % 4, 1, await startBackend(t));
      await lane.balance.load(lane.conf(rest()));
      // As a pod does that was told to end: it finishes what it has, and finds its kept connections closed. Its own count alone
      // would leave out those that it has not accepted yet.
      await until("the old pod is left", async () => {
        const left = (await lane.balance.pools()).flatMap((p) => p.draining ?? []);
        return left.length === 0 && old?.sockets.size === 0;
      });
      await old?.close();
    }
    const { requests, failures } = await traffic.stop();
    t.diagnostic(`${requests} requests during 50 reloads`);
    assert.deepEqual(failures, []);
    assert.ok(requests > 500);
    assert.equal((await lane.balance.status()).generation, 51);
  });

  test("rules, pools and listeners change under traffic", async (t) => {
    const pod = await startBackend(t);
    const other = await startBackend(t);
    const shapes = [
      `pool p ${pod.channel}\ndefault main p\n`,
      `pool p ${other.channel}\npool q ${pod.channel}\nrule main a.example prefix /p q max-body=10\ndefault main p\n`,
      `pool q ${other.channel}\nrule main a.example prefix / q limit-conn=1000\n`,
      `pool p ${pod.channel} ${other.channel}\nrule main *.example prefix / p\naccess-log @DIR@/a.log\n`,
    ];
    const lane = await startLane(t, shapes[0] ?? "", { workers: 2 });
    const traffic = startTraffic(lane.port, 8);
    for (let i = 1; i <= 30; i++) await lane.balance.load(lane.conf(shapes[i % 4] ?? ""));
    const { failures } = await traffic.stop();
    assert.deepEqual(failures, []);
  });

  test("a tunnel and a stream of events go on across reloads, even when their pool is gone", async (t) => {
    const pod = await startRaw(t, (socket) =>
      socket.once("data", (data) => {
        if (data.includes("/ws")) {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
          socket.on("data", (chunk) => socket.write(chunk));
          return;
        }
        socket.write(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        let n = 0;
        const timer = setInterval(() => socket.write(`9\r\nid: ${String(n++).padStart(4)}\n\r\n`), 10);
        socket.on("close", () => clearInterval(timer));
      }),
    );
    const good = await startBackend(t);
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`, { workers: 2 });
    const tunnel = await startTunnel(lane);
    const events = await RawClient.open(lane.port);
    events.send(get("/events"));
    await events.text("id:    0\n");
    let n = 1;
    const goOn = async (): Promise<void> => {
      tunnel.send(`message ${n}\n`);
      await tunnel.text(`message ${n}\n`);
      await events.text(`id: ${String(n).padStart(4)}\n`);
      n++;
    };
    for (let i = 0; i < 10; i++) {
      await lane.balance.load(lane.conf(`pool p ${pod.channel} ${good.channel}:${i + 1}\ndefault main p\n`));
      await goOn();
    }
    for (let i = 0; i < 5; i++) {
      await lane.balance.load(lane.conf(`pool other ${good.channel}\nrule main b.example prefix / other\n`));
      await goOn();
    }
    assert.equal((await lane.get("/")).status, 404);
    assert.equal((await lane.get("/", "b.example")).status, 200);
    tunnel.close();
    events.close();
  });

  test("a request under way keeps its pod when the pod leaves the configuration", async (t) => {
    let answer = () => {};
    const slow = await startBackend(t, (_request, socket) => {
      answer = () => socket.write(text("late"));
      return undefined;
    });
    const good = await startBackend(t);
    const lane = await startLane(t, `pool p ${slow.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    client.send(get("/slow") + get("/next"));
    await until("asked", () => slow.requests.length === 1);
    await lane.balance.load(lane.conf(`pool p ${good.channel}\ndefault main p\n`));
    answer();
    assert.equal((await client.answer()).body.toString(), "late");
    assert.equal((await client.answer()).body.toString(), "ok", "the next goes by the new configuration");
    await until("the old pod is left", () => slow.sockets.size === 0);
    client.close();
  });

  test("a refused configuration changes nothing", async (t) => {
    const pod = await startBackend(t);
    const lane = await startLane(t, `pool p ${pod.channel}\ndefault main p\n`);
    const traffic = startTraffic(lane.port, 4);
    for (let i = 0; i < 10; i++)
      await assert.rejects(lane.balance.load(lane.conf("rule main a.example prefix / nobody\n")), /nobody/);
    assert.deepEqual((await traffic.stop()).failures, []);
  });

  test("a killed worker costs its own connections only, and another takes its place", async (t) => {
    const pod = await startRaw(t, (socket) => {
      socket.on("end", () => socket.end());
      socket.on("data", (data) => {
        if (data.includes("/ws"))
          socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        else if (data.includes("HTTP/1.1")) socket.write(text("ok"));
        else socket.write(data);
      });
    });
    const lane = await startLane(
      t,
      `pool p ${pod.channel}\nrule main a.example prefix / p limit-conn=100\n`,
      {
        workers: 3,
      },
    );
    const tunnels = await Promise.all(Array.from({ length: 30 }, () => startTunnel(lane)));
    const victim = (await lane.balance.status()).workers.find((w) => w.connections > 0);
    assert.ok(victim);
    process.kill(victim.pid, "SIGKILL");
    await until("another worker", async () => {
      const { workers } = await lane.balance.status();
      return workers.some((w) => w.restarts === 1 && w.pid !== victim.pid);
    });
    await until("its connections end", () => tunnels.filter((c) => c.closed).length === victim.connections);
    for (const tunnel of tunnels.filter((c) => !c.closed)) {
      tunnel.send("still here\n");
      await tunnel.text("still here\n");
    }
    for (let i = 0; i < 30; i++) assert.equal((await lane.get("/")).status, 200);
    for (const tunnel of tunnels) tunnel.close();
    await until("nothing is counted as open", async () => {
      const channels = await lane.balance.channels("p");
      return channels.every((c) => c.active === 0);
    });
  });
});
