// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ELECTION_TIMES } from "../../src/leader/election.ts";
import { Elector } from "../../src/leader/elector.ts";
import { collectLog } from "../fixtures/collect-log.ts";
import { FakeApi } from "../fixtures/fake-api.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

const PATH = "/apis/coordination.k8s.io/v1/namespaces/ingress/leases/evener-leader";

function open() {
  const api = new FakeApi();
  const clock = new FakeClock();
  const { log, messages } = collectLog();
  const join = (identity: string, wallSkewMs = 0, own = api) => {
    const changes: boolean[] = [];
    const elector = new Elector({
      api: own,
      clock,
      wallTime: () => new Date(Date.parse("2026-01-01T00:00:00Z") + clock.now() + wallSkewMs),
      random: () => 0.5,
      log,
      namespace: "ingress",
      name: "evener-leader",
      identity,
      times: ELECTION_TIMES,
      onChange: (leading) => changes.push(leading),
    });
    elector.start();
    return { elector, changes };
  };
  const holder = () =>
    (api.objects.get(PATH)?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;
  return { api, clock, join, holder, messages };
}

describe("replicas", () => {
  test("have one leader, who stays it for as long as it lives", async () => {
    const { clock, join, holder } = open();
    const [a, b] = [join("a"), join("b", 3_600_000)];
    await clock.advance(120_000);
    assert.deepEqual([a.elector.leading, b.elector.leading], [true, false]);
    assert.deepEqual([a.changes, b.changes], [[true], []]);
    assert.equal(holder(), "a");
  });

  test("have another within 20 seconds of the leader's sudden death", async () => {
    for (let diesAfter = 0; diesAfter < 4000; diesAfter += 500) {
      const { clock, join, api } = open();
      const dying = new FakeApi();
      dying.request = (request) => api.request(request);
      const a = join("a", 0, dying);
      const b = join("b", -3_600_000);
      await clock.advance(10_000 + diesAfter);
      assert.equal(a.elector.leading, true);
      // It never hears of anything again.
      dying.request = () => new Promise(() => undefined);
      let waited = 0;
      while (!b.elector.leading && waited < 60_000) {
        assert.ok(waited < 15_000 || !a.elector.leading, "two leaders");
        await clock.advance(250);
        waited += 250;
      }
      assert.ok(waited < 20_000, `${waited} ms`);
    }
  });

  test("hand over at once when the leader stops in order", async () => {
    const { clock, join } = open();
    const [a, b] = [join("a"), join("b")];
    await clock.advance(10_000);
    await a.elector.stop();
    assert.equal(await a.elector.release(), true);
    assert.deepEqual(a.changes, [true, false]);
    await clock.advance(ELECTION_TIMES.retryMs * 1.2);
    assert.equal(b.elector.leading, true);
    assert.equal(await a.elector.release(), false);
  });
});

test("an outage ends the leadership, its end brings it back, and the log is not flooded", async () => {
  const { api, clock, join, messages } = open();
  const a = join("a");
  await clock.advance(1000);
  api.fault = () => new Error("connect ECONNREFUSED");
  await clock.advance(8_000);
  assert.equal(a.elector.leading, true);
  await clock.advance(3600_000);
  assert.deepEqual(a.changes, [true, false]);
  api.fault = () => undefined;
  await clock.advance(20_000);
  assert.deepEqual(a.changes, [true, false, true]);
  assert.equal(messages().filter((message) => message === "the Lease can't be written").length, 1);
});

test("a request without an answer does not keep a leader in office", async () => {
  const { api, clock, join } = open();
  const a = join("a");
  await clock.advance(1000);
  api.request = () => new Promise(() => undefined);
  await clock.advance(ELECTION_TIMES.renewMs + ELECTION_TIMES.retryMs);
  assert.deepEqual(a.changes, [true, false]);
});

test("of two who see an expired Lease at the same time one gets it", async () => {
  const { api, clock, join } = open();
  const spec = { holderIdentity: "gone", leaseDurationSeconds: 15, renewTime: "x" };
  api.put(PATH, { metadata: { name: "evener-leader" }, spec });
  const all = [join("a"), join("b"), join("c")];
  await clock.advance(20_000);
  assert.equal(all.filter(({ elector }) => elector.leading).length, 1);
  await settle();
  const { leaseTransitions } = (api.objects.get(PATH)?.spec ?? {}) as { leaseTransitions?: number };
  assert.equal(leaseTransitions, 1);
});
