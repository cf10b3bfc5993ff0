// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fingerprintLeaf } from "../../src/apply/fingerprint.ts";
import { HitchControl } from "../../src/apply/hitch-control.ts";
import { type KeyPair, makeKeyPair } from "../fixtures/certificates.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

let pair: KeyPair;
before(async () => {
  pair = await makeKeyPair(["a.example"]);
});

class FakeHitch {
  readonly clock = new FakeClock();
  readonly signals: string[] = [];
  readonly asked: (string | undefined)[] = [];
  pid: number | undefined = 100;
  workers = [101, 102];
  onSighup = (_count: number): void => undefined;
  served: (name: string | undefined) => string = () => "";
  listeners = new Set<(line: string) => void>();
  readonly control = new HitchControl({
    hitch: this.#process(),
    clock: this.clock,
    test: async () => ({ ok: true, message: "" }),
    listWorkers: async () => this.workers,
    probe: async (name) => {
      this.asked.push(name);
      return this.served(name);
    },
    timeoutMs: 5000,
  });

  #process() {
    const self = this;
    return {
      get pid() {
        return self.pid;
      },
      signal: (name: NodeJS.Signals) => {
        self.signals.push(name);
        self.onSighup(self.signals.length);
        return true;
      },
      onLine: (listener: (line: string) => void) => {
        self.listeners.add(listener);
        return () => self.listeners.delete(listener);
      },
    };
  }

  say(line: string): void {
    for (const listener of this.listeners) listener(line);
  }

  /** Runs the clock until `action` has ended. */
  async finish(action: Promise<void>): Promise<string> {
    let result: string | undefined;
    action.then(
      () => (result = "ok"),
      (error: { code: string; message: string }) => (result = `${error.code} ${error.message}`),
    );
    for (let i = 0; i < 400 && result === undefined; i++) await this.clock.advance(20);
    return result ?? "never ended";
  }
}

const served = () => [
  { path: "/a.pem", host: "a.example", pem: `${pair.key}${pair.cert}` },
  { path: "/w.pem", host: "*.w.example", pem: pair.cert },
  { path: "/d.pem", host: undefined, pem: pair.cert },
];

describe("reloading Hitch", () => {
  test("is done when new workers are there and each certificate was seen", async () => {
    const hitch = new FakeHitch();
    hitch.onSighup = () => (hitch.workers = [101, 103, 104]);
    hitch.served = () => fingerprintLeaf(pair.cert);
    assert.equal(await hitch.finish(hitch.control.reload(served())), "ok");
    assert.deepEqual(hitch.signals, ["SIGHUP"]);
    assert.deepEqual(hitch.asked, ["a.example", "evener-probe.w.example", undefined]);
    assert.equal(hitch.listeners.size, 0);
  });

  test("a logged refusal is a refusal, with its reason", async () => {
    for (const [line, reason] of [
      ["x [ 1] Config reload failed: line 3: no such file", "REFUSED line 3: no such file"],
      ["x [ 1] {core} Config reload failed.", "REFUSED Hitch gave no reason"],
    ] as const) {
      const hitch = new FakeHitch();
      hitch.onSighup = () => hitch.say(line);
      assert.equal(await hitch.finish(hitch.control.reload([])), reason);
    }
  });

  test("a signal that got lost is sent again", async () => {
    const hitch = new FakeHitch();
    hitch.onSighup = (count) => {
      if (count === 2) hitch.workers = [103, 104];
    };
    assert.equal(await hitch.finish(hitch.control.reload([])), "ok");
    assert.equal(hitch.signals.length, 2);
  });

  test("no new worker in time, a dead master, another certificate: not verified", async () => {
    const idle = new FakeHitch();
    assert.match(await idle.finish(idle.control.reload([])), /^UNVERIFIED .*no new workers/);

    const dead = new FakeHitch();
    dead.onSighup = () => (dead.pid = undefined);
    assert.match(await dead.finish(dead.control.reload([])), /^NOT_RUNNING/);

    const wrong = new FakeHitch();
    wrong.onSighup = () => (wrong.workers = [103]);
    wrong.served = () => "00ff";
    assert.match(await wrong.finish(wrong.control.reload(served())), /^UNVERIFIED for a\.example .*00ff/);
  });

  test("an old worker's answer is not the last word", async () => {
    const hitch = new FakeHitch();
    hitch.onSighup = () => (hitch.workers = [103]);
    hitch.served = () => (hitch.asked.length < 4 ? "old" : fingerprintLeaf(pair.cert));
    assert.equal(await hitch.finish(hitch.control.reload(served().slice(0, 1))), "ok");
  });

  test("generations are counted while they have workers", async () => {
    const hitch = new FakeHitch();
    assert.equal(await hitch.control.countGenerations(), 1);
    hitch.onSighup = () => (hitch.workers = [102, 103]);
    await hitch.finish(hitch.control.reload([]));
    assert.equal(await hitch.control.countGenerations(), 2);
    hitch.onSighup = () => (hitch.workers = [102, 103, 104]);
    await hitch.finish(hitch.control.reload([]));
    assert.equal(await hitch.control.countGenerations(), 3);
    hitch.workers = [104];
    assert.equal(await hitch.control.countGenerations(), 1);
    hitch.pid = undefined;
    assert.equal(await hitch.control.countGenerations(), 0);
  });
});
