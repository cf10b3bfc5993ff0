// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Ingress, V1Service } from "@kubernetes/client-node";
import type { Problem, Store } from "../../src/model/types.ts";
import { ClusterReporter, type ClusterReporterOptions } from "../../src/report/cluster-reporter.ts";
import { collectLog } from "../fixtures/collect-log.ts";
import { FakeApi } from "../fixtures/fake-api.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const pathOf = (name: string) => `/apis/networking.k8s.io/v1/namespaces/shop/ingresses/${name}`;
const LEASE = "/apis/coordination.k8s.io/v1/namespaces/ingress/leases/evener-leader";

function open() {
  const api = new FakeApi();
  const clock = new FakeClock();
  const { log, messages } = collectLog();
  const start = (identity: string, more: Partial<ClusterReporterOptions> = {}) => {
    const changes: boolean[] = [];
    const reporter = new ClusterReporter({
      api,
      clock,
      wallTime: () => new Date(clock.now()),
      random: () => 0,
      log,
      namespace: "ingress",
      electionId: "evener-leader",
      identity,
      instance: identity,
      statusAddresses: ["192.0.2.1"],
      publishService: undefined,
      clearAtEnd: true,
      watchNamespaces: [],
      onLeading: (leading) => changes.push(leading),
      ...more,
    });
    reporter.start();
    return { reporter, changes };
  };
  const put = (name: string) =>
    api.put(pathOf(name), {
      metadata: { name, namespace: "shop", uid: `uid-${name}` },
      spec: { ingressClassName: "evener" },
    });
  /** A sync of everything that is there now. */
  const sync = (live = true, problems: readonly Problem[] = []) => {
    const ingresses = new Map<string, V1Ingress>();
    for (const [path, object] of api.objects) {
      const name = /\/ingresses\/(.*)$/.exec(path)?.[1];
      if (name !== undefined) ingresses.set(`shop/${name}`, structuredClone(object) as V1Ingress);
    }
    const statuses = [...ingresses.values()].map(({ metadata }) => ({
      ref: {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        namespace: "shop",
        name: metadata?.name ?? "",
        uid: metadata?.uid ?? "",
      },
      loadBalancer: [],
      hosts: [`${metadata?.name}.example`],
    }));
    const store = { ingresses, services: new Map<string, V1Service>() } as unknown as Store;
    return { store, statuses, policies: [], problems, live };
  };
  const read = (name: string) =>
    ((api.objects.get(pathOf(name)) ?? {}) as V1Ingress).status?.loadBalancer?.ingress?.[0]?.ip ?? "";
  const events = () =>
    [...api.objects].filter(([path]) => path.includes("/events/")).map(([, event]) => String(event.reason));
  const stop = async (reporter: ClusterReporter) => {
    let ended = false;
    const stopped = reporter.stop(30_000).then(() => {
      ended = true;
    });
    for (let i = 0; i < 300 && !ended; i++) await clock.advance(100);
    await stopped;
  };
  return { api, clock, start, put, sync, read, events, stop, messages };
}

describe("the reporter", () => {
  test("tells what is live, and problems also of what is not", async () => {
    const { clock, start, put, sync, read, events } = open();
    const { reporter, changes } = start("a");
    await clock.advance(100);
    put("one");
    const [status] = sync().statuses;
    assert.ok(status !== undefined);
    const problem: Problem = { ref: status.ref, severity: "warning", reason: "HostNotCovered", message: "…" };
    reporter.report(sync(false, [problem]));
    await clock.advance(1000);
    assert.deepEqual([read("one"), events()], ["", ["HostNotCovered"]]);
    reporter.report(sync(true, [problem]));
    await clock.advance(1000);
    assert.deepEqual([read("one"), events()], ["192.0.2.1", ["HostNotCovered", "Synced"]]);
    assert.deepEqual(changes, [true]);
  });

  test("of a follower is silent, and knows what was said when it comes to lead", async () => {
    const { clock, start, put, sync, read, events, stop } = open();
    const [a, b] = [start("a"), start("b")];
    await clock.advance(100);
    put("one");
    for (const { reporter } of [a, b]) reporter.report(sync());
    await clock.advance(1000);
    for (const { reporter } of [a, b]) reporter.report(sync());
    assert.deepEqual(events(), ["Synced"]);
    await stop(a.reporter);
    // Another is there: nothing is cleared.
    assert.equal(read("one"), "192.0.2.1");
    assert.deepEqual(b.changes, [true]);
    put("two");
    b.reporter.report(sync());
    await clock.advance(1000);
    assert.deepEqual([read("two"), events()], ["192.0.2.1", ["Synced", "Synced"]]);
  });

  test("clears the statuses when it was the last, and leaves the Lease to anybody", async () => {
    const { api, clock, start, put, sync, read, stop } = open();
    const { reporter } = start("a");
    put("one");
    reporter.report(sync());
    await clock.advance(1000);
    assert.equal(read("one"), "192.0.2.1");
    // The cache has not heard of its own write yet, and another Ingress was never ours.
    await stop(reporter);
    assert.equal(read("one"), "");
    const { holderIdentity } = (api.objects.get(LEASE)?.spec ?? {}) as { holderIdentity?: string };
    assert.equal(holderIdentity, "");
  });

  test("does not put back what it has cleared when it hears of it", async () => {
    const { api, clock, start, put, sync, read, stop } = open();
    const { reporter } = start("a");
    put("one");
    put("two");
    await clock.advance(100);
    reporter.report(sync());
    await clock.advance(1000);
    reporter.report(sync());
    // The sync goes on until the ports close: what is written comes back as a change.
    const request = api.request.bind(api);
    api.request = async (...args) => {
      const answer = await request(...args);
      if (args[0].method === "PATCH") reporter.report(sync());
      return answer;
    };
    await stop(reporter);
    assert.deepEqual([read("one"), read("two")], ["", ""]);
  });

  test("clears nothing when told not to, nor without knowing who leads", async () => {
    const kept = open();
    const { reporter } = kept.start("a", { clearAtEnd: false });
    kept.put("one");
    reporter.report(kept.sync());
    await kept.clock.advance(1000);
    await kept.stop(reporter);
    assert.equal(kept.read("one"), "192.0.2.1");

    const cut = open();
    const other = cut.start("a");
    cut.put("one");
    other.reporter.report(cut.sync());
    await cut.clock.advance(1000);
    cut.api.fault = () => new Error("ECONNREFUSED");
    await cut.stop(other.reporter);
    assert.equal(cut.read("one"), "192.0.2.1");
    assert.ok(cut.messages().includes("the Lease and the statuses are left as they are"));
  });

  test("catches up after an outage", async () => {
    const { api, clock, start, put, sync, read, events } = open();
    const { reporter, changes } = start("a");
    await clock.advance(1000);
    api.fault = () => new Error("ECONNREFUSED");
    put("one");
    reporter.report(sync());
    await clock.advance(3_600_000);
    api.fault = () => undefined;
    await clock.advance(60_000);
    assert.deepEqual([read("one"), events(), changes], ["192.0.2.1", ["Synced"], [true, false, true]]);
  });

  test("leaves statuses alone until the Service is known", async () => {
    const { clock, start, put, sync, read, messages } = open();
    const { reporter } = start("a", { statusAddresses: [], publishService: "ingress/evener" });
    put("one");
    await clock.advance(1000);
    reporter.report(sync());
    reporter.report(sync());
    await clock.advance(1000);
    assert.equal(read("one"), "");
    assert.equal(messages().filter((message) => message.includes("--publish-service")).length, 1);
    const status = { loadBalancer: { ingress: [{ ip: "192.0.2.5" }] } };
    const report = sync();
    const services = new Map([["ingress/evener", { spec: { type: "LoadBalancer" }, status } as V1Service]]);
    reporter.report({ ...report, store: { ...report.store, services } });
    await clock.advance(1000);
    assert.equal(read("one"), "192.0.2.5");
  });

  test("without any address writes no status, and still tells Events", async () => {
    const { api, clock, start, put, sync, events } = open();
    const { reporter } = start("a", { statusAddresses: [] });
    put("one");
    await clock.advance(1000);
    reporter.report(sync());
    await clock.advance(1000);
    assert.deepEqual(events(), ["Synced"]);
    assert.deepEqual(api.list("PATCH"), []);
  });
});
