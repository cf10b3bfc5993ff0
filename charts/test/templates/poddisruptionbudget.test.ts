// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

const KIND = "PodDisruptionBudget";

test("one pod has to stay", async () => {
  const { spec } = await renderOne(KIND);
  assert.equal(spec.minAvailable, 1);
  assert.ok(!("maxUnavailable" in spec));
  assert.deepEqual(Object.keys(spec.selector.matchLabels), [
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
  ]);
  assert.equal(spec.unhealthyPodEvictionPolicy, "AlwaysAllow");
});

test("numbers and percentages", async () => {
  const spec = async (podDisruptionBudget: object) =>
    (await renderOne(KIND, { replicaCount: 5, podDisruptionBudget })).spec;
  assert.equal((await spec({ minAvailable: 3 })).minAvailable, 3);
  assert.equal((await spec({ minAvailable: 0 })).minAvailable, 0);
  assert.equal((await spec({ minAvailable: "50%" })).minAvailable, "50%");
  const some = await spec({ maxUnavailable: 1 });
  assert.equal(some.maxUnavailable, 1);
  assert.ok(!("minAvailable" in some));
});

test("none for a single pod, a DaemonSet, or on request", async () => {
  await assertNone(KIND, { replicaCount: 1 });
  await assertNone(KIND, { replicaCount: 1, podDisruptionBudget: { minAvailable: 1 } });
  await assertNone(KIND, { controller: { kind: "DaemonSet" } });
  await assertNone(KIND, { podDisruptionBudget: { enabled: false } });
  await assertNone(KIND, { autoscaling: { enabled: true, minReplicas: 1 } });
});
