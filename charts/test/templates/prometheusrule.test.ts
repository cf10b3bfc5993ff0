// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { findMetrics, listMetrics } from "../lib/metric-names.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const KIND = "PrometheusRule";
const ENABLED = { metrics: { prometheusRule: { enabled: true } } };

test("none by default", async () => {
  await assertNone(KIND);
});

test("every alert has a severity, a summary and a description, and Prometheus's own templates survive", async () => {
  const { rules } = (await renderOne(KIND, ENABLED)).spec.groups[0];
  assert.equal(rules.length, 8);
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(warning|critical)$/, alert);
    assert.ok(annotations.summary && annotations.description, alert);
  }
  assert.ok(JSON.stringify(rules).includes("{{ $labels.host }}"));
});

test("alerts are about metrics that there are", async () => {
  const known = await listMetrics();
  const { rules } = (await renderOne(KIND, ENABLED)).spec.groups[0];
  const used = rules.flatMap(({ expr }: Any) => findMetrics(expr));
  assert.deepEqual(
    used.filter((name: string) => !known.includes(name)),
    [],
  );
});

test("labels, alerts left out, and further rules", async () => {
  const { metadata, spec } = await renderOne(KIND, VALUE_SETS.monitoring);
  assert.equal(metadata.namespace, "monitoring");
  assert.equal(metadata.labels.release, "prometheus");
  const { rules } = spec.groups[0];
  assert.ok(!rules.some(({ alert }: Any) => alert === "EvenerNoLeader"));
  assert.equal(rules[0].labels.team, "edge");
  assert.equal(rules[0].labels.severity, "critical");
  assert.deepEqual(rules.at(-1), { alert: "Always", expr: "vector(1)" });
});
