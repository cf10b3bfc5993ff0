// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { findMetrics, listMetrics } from "../lib/metric-names.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const ENABLED = { metrics: { dashboard: { enabled: true } } };

async function renderDashboard(): Promise<Any> {
  return JSON.parse((await renderOne("ConfigMap", ENABLED)).data["evener.json"]);
}

test("none by default", async () => {
  await assertNone("ConfigMap");
});

test("panels have numbers of their own, and none covers another", async () => {
  const { panels } = await renderDashboard();
  assert.equal(new Set(panels.map(({ id }: Any) => id)).size, panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos } of panels) {
    const { x, y, w, h } = gridPos;
    assert.ok(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const cell = `${column},${line}`;
        assert.ok(!taken.has(cell), `${title} covers another panel`);
        taken.add(cell);
      }
    }
  }
});

test("its queries are about metrics that there are", async () => {
  const known = await listMetrics();
  const { panels } = await renderDashboard();
  const used = new Set<string>(
    panels.flatMap(({ targets = [] }: Any) => targets.flatMap(({ expr }: Any) => findMetrics(expr))),
  );
  assert.deepEqual(
    [...used].filter((name) => !known.includes(name)),
    [],
  );
  assert.ok(used.size >= 15, [...used].join(" "));
});

test("where Grafana's sidecar looks for it", async () => {
  const { metadata } = await renderOne("ConfigMap", VALUE_SETS.monitoring);
  assert.equal(metadata.namespace, "monitoring");
  assert.equal(metadata.labels.grafana_dashboard, "1");
  assert.deepEqual(metadata.annotations, { grafana_folder: "Edge" });
});
