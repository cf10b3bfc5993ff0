// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const KIND = "ServiceMonitor";

test("none by default", async () => {
  await assertNone(KIND);
});

test("it selects the metrics Service and not the other", async () => {
  const values = { metrics: { serviceMonitor: { enabled: true } } };
  const { spec } = await renderOne(KIND, values);
  const matches = async (name: string) => {
    const { labels } = (await renderOne("Service", values, name)).metadata;
    return Object.entries(spec.selector.matchLabels).every(([key, value]) => labels[key] === value);
  };
  assert.equal(await matches("evener-metrics"), true);
  assert.equal(await matches("evener"), false);
  assert.deepEqual(spec.namespaceSelector, { matchNames: ["ingress"] });
  assert.equal(spec.endpoints[0].port, "metrics");
  assert.equal(spec.endpoints[0].honorLabels, true);
});

test("elsewhere, with labels and relabelings", async () => {
  const { metadata, spec } = await renderOne(KIND, VALUE_SETS.monitoring);
  assert.equal(metadata.namespace, "monitoring");
  assert.equal(metadata.labels.release, "prometheus");
  const [endpoint] = spec.endpoints;
  assert.equal(endpoint.interval, "15s");
  assert.equal(endpoint.relabelings.length, 1);
  assert.equal(endpoint.metricRelabelings.length, 1);
  assert.deepEqual(spec.namespaceSelector, { matchNames: ["ingress"] });
});
