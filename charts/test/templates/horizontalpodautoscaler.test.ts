// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const KIND = "HorizontalPodAutoscaler";

test("none by default", async () => {
  await assertNone(KIND);
});

test("by CPU, of the Deployment", async () => {
  const { spec } = await renderOne(KIND, { autoscaling: { enabled: true } });
  assert.deepEqual(spec, {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "evener" },
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
      },
    ],
  });
});

test("by memory and others, with its behaviour", async () => {
  const { spec } = await renderOne(KIND, VALUE_SETS.autoscaling);
  assert.deepEqual(
    spec.metrics.map(({ type, resource }: Any) => [type, resource?.name]),
    [
      ["Resource", "cpu"],
      ["Resource", "memory"],
      ["Pods", undefined],
    ],
  );
  assert.deepEqual(spec.behavior, { scaleDown: { stabilizationWindowSeconds: 600 } });
});
