// SPDX-License-Identifier: Apache-2.0
// Balance's workers inside Hitch's and those of its own: what they share.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startFront } from "./lib/front.ts";
import { webPod } from "./lib/front-pods.ts";
import { hold, keepAlive, web } from "./lib/front-talk.ts";
import { until } from "./lib/until.ts";

describe("guests share with other workers", { concurrency: false }, () => {
  test("limits count over all of them", async (t) => {
    const pod = await webPod(t, "a");
    for (const limit of ["maxconn=2", "client-limit=2"]) {
      const front = await startFront(t, web(limit, pod.channel));
      await front.joined();
      const held = [await hold(front, pod), await hold(front, pod, { plain: true })];
      for (const plain of [false, true]) {
        const { status } = await front.get("/", { plain });
        assert.ok(status === 503 || status === 429, `${limit}: ${status}`);
      }
      pod.release();
      for (const { reply } of held) assert.equal((await reply).body, "a");
      for (const plain of [false, true])
        await until("there is room again", async () => (await front.get("/", { plain })).body === "a");
    }
  });

  test("who waits is woken across processes", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web("maxconn=1", "queue=20", "queue-timeout=60", pod.channel));
    await front.joined();
    for (const first of [false, true]) {
      const held = await hold(front, pod, { plain: first });
      const waiting = Array.from({ length: 10 }, (_, i) => front.get("/", { plain: i % 2 === 0 }));
      await until("they wait", async () => (await front.balance.pool("web")).queued === 10);
      pod.release();
      assert.equal((await held.reply).body, "a");
      for (const reply of waiting) assert.equal((await reply).body, "a");
      const { places, queued } = await front.balance.pool("web");
      assert.deepEqual([places, queued], [0, 0]);
    }
  });

  test("turns are taken over all of them", async (t) => {
    const pods = [await webPod(t, "a"), await webPod(t, "b"), await webPod(t, "c")];
    const front = await startFront(t, web(...pods.map((pod) => pod.channel)));
    await front.joined();
    const agent = keepAlive(t);
    const counts = new Map<string, number>();
    for (let i = 0; i < 60; i++) {
      const { body } = await front.get("/", i % 4 < 2 ? { agent } : { plain: true });
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
    assert.deepEqual([...counts].sort(), [
      ["a", 20],
      ["b", 20],
      ["c", 20],
    ]);
  });

  test("their requests are in the access log of Balance", async (t) => {
    const front = await startFront(t, web((await webPod(t, "a")).channel), { before: "access-log stdout" });
    let told = "";
    front.balance.child.stdout?.setEncoding("utf8").on("data", (chunk) => {
      told += chunk;
    });
    await front.joined();
    assert.equal((await front.get("/by-guest")).body, "a");
    assert.equal((await front.get("/by-worker", { plain: true })).body, "a");
    await until("both are told", () => /by-worker/.test(told) && /by-guest/.test(told));
  });
});
