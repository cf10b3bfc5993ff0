// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import type { Values } from "../../tools/helm.ts";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const DAEMONSET = { controller: { kind: "DaemonSet" } };

test("there is none by default", async () => {
  await assertNone("DaemonSet");
});

test("its pods are those of the Deployment, but for the spread", async () => {
  const daemonset = await renderOne("DaemonSet", DAEMONSET);
  const deployment = await renderOne("Deployment");
  const { topologySpreadConstraints: _, ...spec } = deployment.spec.template.spec;
  assert.deepEqual(daemonset.spec.template, { ...deployment.spec.template, spec });
  assert.ok(!("replicas" in daemonset.spec));
});

test("the new pod comes first where two fit on a node, and the old one goes first where not", async () => {
  const strategy = async (values: Values) =>
    (await renderOne("DaemonSet", { ...DAEMONSET, ...values })).spec.updateStrategy.rollingUpdate;
  assert.deepEqual(await strategy({}), { maxSurge: 1, maxUnavailable: 0 });
  const oneLess = { maxSurge: 0, maxUnavailable: 1 };
  assert.deepEqual(await strategy({ hostPort: { enabled: true } }), oneLess);
  assert.deepEqual(await strategy({ hostNetwork: true }), oneLess);
  assert.deepEqual(await strategy({ tcp: { a: { port: 9000, hostPort: 9000 } } }), oneLess);
  assert.deepEqual(await strategy({ updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } }), {
    maxUnavailable: 2,
  });
});

test("in the node's network", async () => {
  const { spec } = (await renderOne("DaemonSet", VALUE_SETS["bare metal, node's network"])).spec.template;
  assert.equal(spec.hostNetwork, true);
  assert.equal(spec.dnsPolicy, "ClusterFirstWithHostNet");
  assert.deepEqual(spec.nodeSelector, { "node-role.kubernetes.io/edge": "" });
  assert.equal(spec.tolerations.length, 1);
  const { args } = spec.containers[0];
  assert.ok(args.includes("--publish-status-address=edge.example"));
  assert.ok(!args.some((arg: string) => arg.startsWith("--publish-service")));
});

test("with ports of the node", async () => {
  const { spec } = (await renderOne("DaemonSet", VALUE_SETS["bare metal, node's ports"])).spec.template;
  assert.ok(!("hostNetwork" in spec));
  assert.deepEqual(
    spec.containers[0].ports.map(({ hostPort }: Any) => hostPort),
    [80, 443, undefined],
  );
});

test("a low port in the node's network, where the nodes allow it", async () => {
  const values = {
    ...DAEMONSET,
    hostNetwork: true,
    containerPort: { http: 80, https: 443, unprivilegedStart: 80 },
  };
  const { ports } = (await renderOne("DaemonSet", values)).spec.template.spec.containers[0];
  assert.equal(ports[0].containerPort, 80);
});
