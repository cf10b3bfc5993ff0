// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const KIND = "NetworkPolicy";

test("none by default", async () => {
  await assertNone(KIND);
});

test("everyone may come to the ports for traffic, nobody to the metrics; what goes out is free", async () => {
  const { spec } = await renderOne(KIND, { networkPolicy: { enabled: true } });
  assert.deepEqual(spec.policyTypes, ["Ingress"]);
  assert.deepEqual(spec.ingress, [
    {
      ports: [
        { port: "http", protocol: "TCP" },
        { port: "https", protocol: "TCP" },
      ],
    },
  ]);
  assert.ok(!("egress" in spec));
});

test("everything that can be said", async () => {
  const { spec } = await renderOne(KIND, VALUE_SETS["network policy"]);
  assert.deepEqual(spec.policyTypes, ["Ingress", "Egress"]);
  assert.equal(spec.ingress.length, 3);
  assert.deepEqual(spec.ingress[0].from, [{ ipBlock: { cidr: "198.51.100.0/24" } }]);
  assert.deepEqual(spec.ingress[1].ports, [{ port: "metrics", protocol: "TCP" }]);
  assert.equal(spec.ingress[1].from.length, 1);
  assert.deepEqual(
    spec.egress[0].ports.map(({ port }: Any) => port),
    [443, 6443],
  );
  assert.deepEqual(spec.egress[1].to, [{ namespaceSelector: {} }]);
  assert.deepEqual(spec.egress[2].ports, [{ port: 53, protocol: "UDP" }]);
});

test("to all pods where no peers are named", async () => {
  const { spec } = await renderOne(KIND, { networkPolicy: { enabled: true, egress: { enabled: true } } });
  assert.deepEqual(spec.egress[1].to, [{ namespaceSelector: {} }]);
});

test("TCP services are let in", async () => {
  const { spec } = await renderOne(KIND, { networkPolicy: { enabled: true }, tcp: { pg: { port: 5432 } } });
  assert.ok(spec.ingress[0].ports.some(({ port }: Any) => port === "pg"));
});
