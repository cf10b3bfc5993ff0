// SPDX-License-Identifier: Apache-2.0
// Balance's workers inside Hitch's: who lives on when somebody ends.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alive } from "./lib/balance.ts";
import { startFront } from "./lib/front.ts";
import { rawPod, webPod } from "./lib/front-pods.ts";
import { hold, openRaw, raw, web } from "./lib/front-talk.ts";
import { until } from "./lib/until.ts";

describe("guests come and go", { concurrency: false }, () => {
  test("a guest that is killed leaves nothing behind, and the next one comes", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web(pod.channel), { guests: 1 });
    const { pid } = await front.joined();
    const held = [1, 2, 3].map(() => front.get("/hold").catch(() => "broken"));
    await until("all are held", () => pod.held() === 3);
    assert.equal((await front.balance.listener("https")).active, 3);
    process.kill(pid, "SIGKILL");
    assert.deepEqual(await Promise.all(held), ["broken", "broken", "broken"]);
    await until("nothing is counted", async () => {
      const [channel] = await front.balance.channels("web");
      return (await front.balance.listener("https")).active === 0 && channel?.active === 0;
    });
    const next = await front.joined([pid]);
    assert.equal((await front.guests()).length, 1);
    assert.ok(alive(next.pid));
    assert.equal((await front.get("/")).body, "a");
  });

  test("connections outlive Balance's master; the next one is joined when they have ended", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web(pod.channel) + raw((await rawPod(t)).address));
    const { pid } = await front.joined();
    const { socket, say } = await openRaw(t, front);
    const held = await hold(front, pod);
    front.balance.kill("SIGKILL");
    await front.balance.ended();
    assert.equal(await say("without a master"), "without a master");
    await assert.rejects(front.get("/"));
    await front.startBalance();
    assert.equal((await front.get("/")).body, "a");
    assert.deepEqual(await front.guests(), []);
    assert.equal((await front.balance.listener("https")).accepted, 1, "over the socket");
    assert.equal(await say("with another"), "with another");
    pod.release();
    const reply = await held.reply;
    assert.deepEqual([reply.body, reply.headers.connection], ["a", "close"]);
    assert.equal(await say("still"), "still");
    socket.end();
    assert.equal((await front.joined()).pid, pid);
    assert.equal((await front.get("/")).body, "a");
  });

  test("Hitch's master dies: its worker does not stay for what is under way, since it still has the port", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web(pod.channel));
    const { pid } = await front.joined();
    const held = await hold(front, pod);
    const broken = assert.rejects(held.reply);
    front.hitch.kill("SIGKILL");
    // Half of what a worker has that ends in good order.
    await until("its worker ends", () => !alive(pid), 5_000);
    await broken;
    front.log = "";
    await front.startHitch();
    await front.joined([pid]);
    for (let i = 0; i < 10; i++) assert.equal((await front.get("/")).body, "a");
  });

  test("told to end, Balance lets its guests finish", async (t) => {
    const pod = await webPod(t, "a");
    const front = await startFront(t, web(pod.channel), { before: "grace 60" });
    const { pid } = await front.joined();
    const plain = await hold(front, pod, { plain: true });
    const held = await hold(front, pod);
    front.balance.kill("SIGTERM");
    await until("nobody is taken any more", () =>
      front.get("/").then(
        () => false,
        () => true,
      ),
    );
    pod.release();
    for (const reply of [await held.reply, await plain.reply])
      assert.deepEqual([reply.body, reply.headers.connection], ["a", "close"]);
    assert.equal(await front.balance.ended(), 0);
    assert.ok(alive(pid));
    // It has come to rest: a descriptor of the old master's that is still watched would keep it awake.
    await front.startBalance();
    assert.equal((await front.joined()).pid, pid);
  });

  test("generations of Hitch each have a number, and those without go over the socket", async (t) => {
    const pod = await webPod(t, "a");
    const lines = web(pod.channel) + raw((await rawPod(t)).address);
    for (const guests of [1, 2]) {
      const front = await startFront(t, lines, { guests });
      const old = await front.joined();
      const { socket, say } = await openRaw(t, front);
      front.hitch.kill("SIGHUP");
      // A client that waits at a socket as that is closed is reset.
      await until("the old generation listens no more", () => /State EXITING/.test(front.log));
      await until("the new one does", async () => (await front.get("/")).body === "a");
      if (guests === 2) {
        const young = await front.joined([old.pid]);
        assert.deepEqual(
          (await front.guests()).map((guest) => guest.pid).sort(),
          [old.pid, young.pid].sort(),
        );
      } else {
        await until("the new generation is served over the socket", async () => {
          const { reply } = await hold(front, pod);
          const { workers } = await front.status();
          pod.release();
          assert.equal((await reply).body, "a");
          return workers[0]?.connections === 1;
        });
        assert.deepEqual(
          (await front.guests()).map((guest) => guest.pid),
          [old.pid],
        );
      }
      assert.equal(await say("of the old generation"), "of the old generation");
      socket.end();
      await until("the old one has gone", () => !alive(old.pid));
      await until("its number is free", async () =>
        (await front.guests()).every((guest) => guest.pid !== old.pid),
      );
      await front.joined([old.pid]);
    }
  });
});
