// SPDX-License-Identifier: Apache-2.0
/** Kinds whose definitions need not be there: nobody waits for them, and they are found when they come. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { EMPTY_STORE } from "../../../src/model/empty-store.ts";
import type { Store } from "../../../src/model/types.ts";
import { Interner } from "../../../src/source/kube/interner.ts";
import { TIMING } from "../../../src/source/kube/reflector.ts";
import { ScopeWatch } from "../../../src/source/kube/scope-watch.ts";
import { listNamedScopes, listScopes } from "../../../src/source/kube/scopes.ts";
import { formatScope, type Scope } from "../../../src/source/kube/watched-kinds.ts";
import { collectLog } from "../../fixtures/collect-log.ts";
import { FakeClock, settle } from "../../fixtures/fake-clock.ts";
import { SETTINGS } from "../../helpers/settings.ts";
import { FakeTransport } from "./fake-transport.ts";

async function open(t: TestContext, scope: Scope) {
  const transport = new FakeTransport();
  const clock = new FakeClock();
  const { log, records } = collectLog();
  let changes = 0;
  const options = { transport, clock, random: () => 0.5, timing: TIMING, log, interner: new Interner() };
  const watch = new ScopeWatch(scope, options, () => changes++);
  t.after(() => watch.stop());
  watch.start();
  await settle();
  return { watch, transport, clock, records, changes: () => changes };
}

/** Seconds until it is asked again. */
async function waitRequest(transport: FakeTransport, clock: FakeClock): Promise<number> {
  const before = transport.exchanges.length;
  let seconds = 0;
  for (; transport.exchanges.length === before && seconds < 120; seconds++) await clock.advance(1000);
  return seconds;
}

const POLICY = {
  apiVersion: "evener.io/v1alpha1",
  kind: "BackendPolicy",
  metadata: { name: "all", namespace: "shop", resourceVersion: "5", generation: 3, labels: { a: "b" } },
  spec: { targetRefs: [{ name: "web" }] },
};

describe("a kind whose definition is not installed", () => {
  test("is as good as known, without a problem, and is found when it comes", async (t) => {
    const { watch, transport, clock, changes } = await open(t, { kind: "BackendPolicy" });
    await transport.last.answer({ kind: "Status", code: 404, message: "page not found" }, 404);
    assert.deepEqual([watch.settled, watch.staleSince, [...watch.problems()]], [true, undefined, []]);
    assert.equal(changes(), 1);
    for (let i = 0; i < 10; i++) {
      await waitRequest(transport, clock);
      await transport.last.answer({ kind: "Status", code: 404, message: "page not found" }, 404);
    }
    assert.deepEqual([...watch.problems()], []);
    assert.ok(changes() <= 2, "nobody is told each time");
    assert.ok((await waitRequest(transport, clock)) <= 31, "within half a minute");
    await transport.last.answer({ metadata: { resourceVersion: "9" }, items: [POLICY] });
    const [[key, object] = []] = [...watch.cache.objects()];
    assert.equal(key, "shop/all");
    const { generation } = (object as { metadata: { generation: number } }).metadata;
    assert.equal(generation, 3);
    assert.ok(changes() > 1);
  });

  test("that may not be read is told about, and waited for by nobody", async (t) => {
    const { watch, transport } = await open(t, { kind: "TLSProfile" });
    await transport.last.answer({ kind: "Status", code: 403, message: "forbidden" }, 403);
    assert.equal(watch.settled, true);
    assert.deepEqual(
      [...watch.problems()].map(({ severity, reason }) => [severity, reason]),
      [["warning", "ReadForbidden"]],
    );
  });

  test("of a kind that everybody has it is waited for", async (t) => {
    const { watch, transport } = await open(t, { kind: "Ingress" });
    await transport.last.answer({ kind: "Status", code: 404, message: "page not found" }, 404);
    assert.equal(watch.settled, false);
  });

  test("an object that our schema refuses is left out with a problem", async (t) => {
    const { watch, transport } = await open(t, { kind: "BackendPolicy" });
    const wrong = { ...POLICY, spec: { ...POLICY.spec, loadBalancing: { strategy: "fastest" } } };
    await transport.last.answer({ metadata: { resourceVersion: "9" }, items: [wrong] });
    assert.deepEqual([...watch.cache.objects()], []);
    assert.deepEqual(
      [...watch.problems()].map(({ field }) => field),
      ["spec.loadBalancing.strategy"],
    );
  });
});

test("a kind that never changes is asked for again, and nobody is told", async (t) => {
  const { watch, transport, clock, records } = await open(t, { kind: "TLSProfile" });
  const told = () => records.filter(({ level }) => level !== "debug").map(({ msg }) => msg);
  await transport.last.answer({ metadata: { resourceVersion: "9" }, items: [] });
  for (let i = 0; i < 3; i++) {
    await transport.last.begin();
    await clock.advance(TIMING.stallMs + 1);
    await clock.advance(1000);
  }
  assert.ok(transport.exchanges.length >= 5);
  assert.deepEqual([told(), [...watch.problems()]], [[], []]);
  // The next attempt finds nobody there: that is more than silence.
  transport.last.fail(new Error("no route"));
  await settle();
  assert.equal(told().length, 1);
  await clock.advance(1000);
  await transport.last.begin();
  assert.deepEqual(told().slice(1), ["the watch goes on"]);
});

describe("what is watched", () => {
  const settings = { model: SETTINGS, secrets: "tls" } as const;

  test("no ConfigMap, unless a policy names it", () => {
    assert.ok(!listScopes(settings).some(({ kind }) => kind === "ConfigMap"));
    const policy = {
      metadata: { name: "p", namespace: "shop" },
      spec: { hosts: ["a.example"], ca: { configMap: { name: "ca" } } },
    };
    const store: Store = { ...EMPTY_STORE, clientCertificatePolicies: new Map([["shop/p", policy]]) };
    assert.deepEqual(listNamedScopes(store, settings).map(formatScope), ["ConfigMap shop/ca"]);
  });

  test("the Secret of a profile's default certificate, where it is not watched anyway", () => {
    const parameters = { apiGroup: "evener.io", kind: "TLSProfile", name: "strict" };
    const ingressClass = {
      metadata: { name: "evener" },
      spec: { controller: SETTINGS.controllerClass, parameters },
    };
    const profile = {
      metadata: { name: "strict" },
      spec: { defaultCertificate: { namespace: "ingress", name: "default-tls" } },
    };
    const store: Store = {
      ...EMPTY_STORE,
      ingressClasses: new Map([["evener", ingressClass]]),
      tlsProfiles: new Map([["strict", profile]]),
    };
    assert.deepEqual(listNamedScopes(store, settings), []);
    const model = { ...SETTINGS, watchNamespaces: ["shop"] };
    assert.deepEqual(listNamedScopes(store, { model, secrets: "tls" }).map(formatScope), [
      "Secret ingress/default-tls",
    ]);
  });
});
