// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "./lib/balance.ts";
import { blackHole, connect, exchange, freePort, named, pod, readAll, readLine } from "./lib/net.ts";
import { proxyV2 } from "./lib/proxy.ts";
import { until } from "./lib/until.ts";

test("a connection that a channel refuses goes to the next channel, then to the next group, with its bytes", async (t) => {
  const [b, c] = [await named(t, "b"), await named(t, "c")];
  const port = await freePort();
  const dead = [await freePort(), await freePort(), await freePort()].map((p) => `127.0.0.1:${p}`);
  const balance = await start(
    t,
    `workers 2
     listen l tcp:127.0.0.1:${port} proxy=v2
     pool next ${dead[0]} ${b.address}
     pool group ${dead[0]} ${dead[1]} ! ${dead[2]} % ${c.address}
     pool none ${dead[0]} ! ${dead[1]}
     route l next.example next
     route l group.example group
     route l none.example none`,
  );
  // The bytes come with the header, before any pod was tried.
  for (let i = 0; i < 20; i++) {
    assert.equal(
      await exchange(port, Buffer.concat([proxyV2("next.example"), Buffer.from("early")])),
      "b\nearly",
    );
    assert.equal(await exchange(port, proxyV2("group.example"), "early"), "c\nearly");
    assert.equal(await exchange(port, proxyV2("none.example"), "early"), "");
  }
  const [first, second] = await balance.channels("next");
  assert.deepEqual([first?.failed, first?.total], [10, 0]); // round robin: every other turn began there
  assert.deepEqual([second?.failed, second?.total], [0, 20]);
  const group = await balance.channels("group");
  assert.deepEqual(
    group.map((ch) => [ch.failed, ch.total]),
    [
      [20, 0],
      [20, 0],
      [20, 0],
      [0, 20],
    ],
  );
  assert.equal((await balance.listener("l")).no_channel, 20);
  assert.ok(group.every((ch) => ch.active === 0));
});

test("a channel that does not answer costs the connect timeout and no more", async (t) => {
  const b = await named(t, "b");
  const port = await freePort();
  const hole = await blackHole(t);
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}
     pool p -t 0.4 ${hole} ! ${b.address}
     route l * p`,
  );
  const began = Date.now();
  assert.equal(await exchange(port, "kept"), "b\nkept");
  assert.ok(Date.now() - began >= 400);
  assert.equal((await balance.channels("p"))[0]?.failed, 1);
  // A client that resets while it waits is not connected for.
  const socket = connect(t, port);
  socket.write("x");
  await until("it is connecting", async () => (await balance.channels("p"))[0]?.active === 1);
  socket.resetAndDestroy();
  await until("it is forgotten", async () => (await balance.listener("l")).active === 0);
  assert.equal(b.accepted, 1);
});

test("a hash group keeps a client on its channel", async (t) => {
  const pods = [await named(t, "0"), await named(t, "1"), await named(t, "2")];
  const port = await freePort();
  await start(
    t,
    `workers 3
     listen l tcp:127.0.0.1:${port} proxy=v2
     pool p ${pods.map((p) => p.address).join(" ")} %
     route l * p`,
  );
  const seen = new Set<string>();
  for (let client = 1; client <= 20; client++) {
    const answers = await Promise.all(
      [1, 2, 3, 4].map((p) => exchange(port, proxyV2(undefined, `10.0.0.${client}`, p))),
    );
    assert.equal(new Set(answers).size, 1);
    seen.add(answers[0] as string);
  }
  assert.equal(seen.size, 3);
});

test("limits hold over four workers in a burst, and what is over goes to the next group or is closed", async (t) => {
  const most = [0, 0, 0];
  const pods = await Promise.all(
    most.map((_, i) =>
      pod(t, (socket) => {
        most[i] = Math.max(most[i] as number, (pods[i]?.sockets.size ?? 0) as number);
        socket.write(`${i}\n`);
      }),
    ),
  );
  const port = await freePort();
  const balance = await start(
    t,
    `workers 4
     listen l tcp:127.0.0.1:${port}
     pool p ${pods[0]?.address}:20 ${pods[1]?.address}:30 ! ${pods[2]?.address}:40
     route l * p`,
  );
  const sockets = Array.from({ length: 500 }, () => connect(t, port));
  const answers = await Promise.all(sockets.map((socket) => readLine(socket).catch(() => "closed")));
  const count = (what: string): number => answers.filter((answer) => answer === what).length;
  const held = [count("0"), count("1"), count("2")] as const;
  assert.ok(held[0] <= 20 && held[1] <= 30 && held[2] <= 40, String(held));
  assert.equal(held[0] + held[1] + held[2] + count("closed"), 500);
  // Racing workers may each step back once too often, yet the places must be used.
  assert.ok(held[0] + held[1] + held[2] >= 80, String(held));
  assert.ok(
    (most[0] as number) <= 20 && (most[1] as number) <= 30 && (most[2] as number) <= 40,
    String(most),
  );
  assert.equal((await balance.listener("l")).no_channel, count("closed"));
  for (const socket of sockets) socket.destroy();
  for (const p of pods) for (const socket of p.sockets) socket.destroy();
  await until("all places are free", async () =>
    (await balance.channels("p")).every((ch) => ch.active === 0),
  );
  const again = connect(t, port);
  assert.match(await readLine(again), /^[01]$/);
  again.destroy();
  await readAll(again);
});
