// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

test("a load balancer for 80 and 443", async () => {
  const { spec } = await renderOne("Service", {}, "evener");
  assert.deepEqual(spec, {
    type: "LoadBalancer",
    ports: [
      { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
      { name: "https", port: 443, targetPort: "https", protocol: "TCP" },
    ],
    selector: { "app.kubernetes.io/name": "evener", "app.kubernetes.io/instance": "evener" },
  });
});

test("everything that a cloud may want", async () => {
  const { metadata, spec } = await renderOne("Service", VALUE_SETS["cloud load balancer"], "evener");
  assert.equal(metadata.labels.tier, "edge");
  assert.deepEqual(metadata.annotations, { "example.org/load-balancer": "internal" });
  assert.equal(spec.externalTrafficPolicy, "Local");
  assert.equal(spec.internalTrafficPolicy, "Cluster");
  assert.equal(spec.loadBalancerClass, "example.org/lb");
  assert.deepEqual(spec.loadBalancerSourceRanges, ["198.51.100.0/24", "2001:db8::/32"]);
  assert.equal(spec.healthCheckNodePort, 32100);
  assert.equal(spec.ipFamilyPolicy, "PreferDualStack");
  assert.deepEqual(spec.ipFamilies, ["IPv4"]);
  assert.equal(spec.allocateLoadBalancerNodePorts, true);
  assert.deepEqual(
    spec.ports.map(({ nodePort }: Any) => nodePort),
    [30080, 30443],
  );
});

test("fixed addresses", async () => {
  const values = {
    service: { clusterIP: "10.96.0.7", loadBalancerIP: "192.0.2.7", externalIPs: ["192.0.2.8"] },
  };
  const { spec } = await renderOne("Service", values, "evener");
  assert.equal(spec.clusterIP, "10.96.0.7");
  assert.equal(spec.loadBalancerIP, "192.0.2.7");
  assert.deepEqual(spec.externalIPs, ["192.0.2.8"]);
});

test("a balancer without node ports: false is not nothing", async () => {
  const { spec } = await renderOne(
    "Service",
    { service: { allocateLoadBalancerNodePorts: false } },
    "evener",
  );
  assert.equal(spec.allocateLoadBalancerNodePorts, false);
});

test("a port that is 0 is left out", async () => {
  const { spec } = await renderOne("Service", { service: { ports: { http: 0 } } }, "evener");
  assert.deepEqual(
    spec.ports.map(({ name }: Any) => name),
    ["https"],
  );
});

test("TCP services", async () => {
  const { spec } = await renderOne("Service", VALUE_SETS["TCP services"], "evener");
  assert.deepEqual(spec.ports.slice(2), [
    { name: "mqtts", port: 8883, targetPort: "mqtts", protocol: "TCP" },
    { name: "postgres", port: 5432, targetPort: "postgres", protocol: "TCP", nodePort: 30432 },
  ]);
});

test("every target is a port of the pod, in every set of values", async () => {
  for (const [name, values] of Object.entries(VALUE_SETS)) {
    if ((values.service as Any)?.enabled === false) {
      await assertNone("Service", values, "evener");
      continue;
    }
    const kind = (values.controller as Any)?.kind ?? "Deployment";
    const workload = await renderOne(kind, values);
    const { spec } = await renderOne("Service", values, workload.metadata.name);
    const ports = workload.spec.template.spec.containers[0].ports.map((port: Any) => port.name);
    for (const { targetPort } of spec.ports) assert.ok(ports.includes(targetPort), `${name}: ${targetPort}`);
    const labels = workload.spec.template.metadata.labels;
    for (const [key, value] of Object.entries(spec.selector)) assert.equal(labels[key], value, name);
  }
});
