// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

const NAME = "evener-metrics";

test("it stays inside the cluster", async () => {
  const { metadata, spec } = await renderOne("Service", {}, NAME);
  assert.equal(spec.type, "ClusterIP");
  assert.deepEqual(spec.ports, [{ name: "metrics", port: 10254, targetPort: "metrics", protocol: "TCP" }]);
  assert.equal(metadata.labels["app.kubernetes.io/component"], "metrics");
});

test("another port, labels and annotations", async () => {
  const service = { labels: { team: "edge" }, annotations: { scrape: "yes" } };
  const { metadata, spec } = await renderOne("Service", { metrics: { port: 9000, service } }, NAME);
  assert.equal(spec.ports[0].port, 9000);
  assert.equal(metadata.labels.team, "edge");
  assert.deepEqual(metadata.annotations, { scrape: "yes" });
});

test("none without metrics", async () => {
  await assertNone("Service", { metrics: { enabled: false } }, NAME);
});
