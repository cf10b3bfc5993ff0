// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PLACEHOLDER_CERTIFICATE } from "../../src/cli/render.ts";
import { buildModel } from "../../src/model/build-model.ts";
import type { ModelOutput, Store } from "../../src/model/types.ts";
import { renderConfigs } from "../../src/render/render-configs.ts";
import { makeCertificates } from "../helpers/certificates.ts";
import { manyIngresses } from "../helpers/many-ingresses.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

const CERTIFICATES = [
  ...(await makeCertificates({ a: { names: ["h0.example"] }, b: { names: ["h1.example"] } })).values(),
];

function build(store: Store, now = NOW): ModelOutput {
  return buildModel({ store, settings: SETTINGS, fallbackCertificate: PLACEHOLDER_CERTIFICATE, now });
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
}

describe("buildModel", () => {
  test("is pure: frozen input, equal output", () => {
    const store = manyIngresses(2, CERTIFICATES);
    for (const map of Object.values(store) as ReadonlyMap<string, object>[]) {
      for (const object of map.values()) deepFreeze(object);
    }
    assert.deepEqual(build(store), build(store));
    assert.equal(build(store).ir.hitch.certificates.length, 2);
  });

  test("does not depend on object identity: a relisted store gives the same", () => {
    const once = build(manyIngresses(2, CERTIFICATES));
    assert.deepEqual(build(manyIngresses(2, CERTIFICATES)), once);
  });

  test("looks at the time given, not at the clock, also for a certificate it knows", () => {
    const store = manyIngresses(2, CERTIFICATES);
    const reasons = (now: string) => build(store, new Date(now)).problems.map((problem) => problem.reason);
    assert.deepEqual(reasons("2026-01-01"), []);
    assert.deepEqual(reasons("2036-01-01"), ["CertificateExpired", "CertificateExpired"]);
    assert.deepEqual(reasons("2024-01-01"), ["CertificateNotYetValid", "CertificateNotYetValid"]);
  });

  test("an endpoint change leaves hitch.conf and every certificate alone", () => {
    const store = manyIngresses(2, CERTIFICATES);
    const before = renderConfigs(build(store).ir);
    const key = "team-0/web-0";
    const slice = store.endpointSlices.get(key);
    assert.ok(slice);
    const endpointSlices = new Map(store.endpointSlices).set(key, {
      ...slice,
      endpoints: [{ addresses: ["10.9.9.9"] }],
    });
    const changed = { ...store, endpointSlices };
    const after = renderConfigs(build(changed).ir);
    assert.equal(after.hitchConf, before.hitchConf);
    assert.notEqual(after.balanceConf, before.balanceConf);
    assert.deepEqual(build(changed).ir.hitch, build(store).ir.hitch);
  });

  test("times may be dates or, as a watch delivers them, strings", () => {
    const store = manyIngresses(50, []);
    const ingresses = new Map(
      [...store.ingresses].map(([key, ingress]) => [key, JSON.parse(JSON.stringify(ingress))]),
    );
    assert.deepEqual(build({ ...store, ingresses }), build(store));
  });

  test("10,000 Ingresses are rebuilt in time", (t) => {
    const store = manyIngresses(10_000, []);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const start = process.cpuUsage();
      assert.equal(build(store).ir.balance.tables[0]?.rules.length, 20_000);
      const { user, system } = process.cpuUsage(start);
      best = Math.min(best, (user + system) / 1000);
    }
    t.diagnostic(`${best.toFixed(0)} ms of CPU`);
    // Far above what it takes, so that a busy machine does not matter but a quadratic loop does.
    assert.ok(best < 2500, `${best.toFixed(0)} ms of CPU`);
  });
});
