// SPDX-License-Identifier: Apache-2.0
/**
 * Every object of every set of values, put before a real API server: a server-side dry-run takes the whole way through
 * admission and validation and stores nothing. Unknown fields are errors. Pods get admitted too, by the templates of their
 * workloads and the strictest level of Pod Security.
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { Cluster } from "../../e2e/kube/lib/cluster.ts";
import { type KubeObject, renderChart } from "../tools/helm.ts";
import type { Any } from "./lib/assert-chart.ts";
import { collectionOf, prepareCluster } from "./lib/prepare-cluster.ts";
import { VALUE_SETS } from "./lib/value-sets.ts";

/** Sets whose pods take ports of the node, which only a privileged namespace allows. */
const PRIVILEGED = [
  "bare metal, node's network",
  "bare metal, node's ports",
  "node's ports, Deployment",
  "TCP services",
];

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start();
  await prepareCluster(cluster);
});

after(() => cluster?.stop());

let objects = 0;

for (const [name, values] of Object.entries(VALUE_SETS)) {
  test(name, async () => {
    const rendered = await renderChart(values);
    for (const object of rendered) await dryRun(object);
    objects += rendered.length;
    const workload: Any = rendered.find(({ kind }) => kind === "Deployment" || kind === "DaemonSet");
    await dryRun(toPod(workload, PRIVILEGED.includes(name) ? "privileged" : "ingress"));
  });
}

test("pods with ports of the node are refused where Pod Security is restricted", async () => {
  const rendered = await renderChart(VALUE_SETS["bare metal, node's ports"]);
  const workload = rendered.find(({ kind }) => kind === "DaemonSet");
  await assert.rejects(
    dryRun(toPod(workload, "ingress")),
    /violates PodSecurity "restricted:latest": hostPort/,
  );
});

test("an unknown field would be noticed", async () => {
  const [object] = await renderChart();
  await assert.rejects(dryRun({ ...object, speck: {} } as Any), /unknown field "speck"/);
});

test("enough sets, and every object of them", (t) => {
  assert.ok(Object.keys(VALUE_SETS).length >= 12);
  t.diagnostic(`${objects} objects of ${Object.keys(VALUE_SETS).length} sets of values`);
});

async function dryRun(object: KubeObject): Promise<void> {
  const { kind, metadata } = object;
  const path = `${collectionOf(object)}?dryRun=All&fieldValidation=Strict&fieldManager=helm`;
  const { status, json } = await cluster.admin.call("POST", path, object);
  assert.equal(status, 201, `${kind} ${metadata.name}: ${(json as Any).message ?? JSON.stringify(json)}`);
}

/** What the workload's controller would create. */
function toPod(workload: Any, namespace: string): KubeObject {
  const { metadata, spec } = workload.spec.template;
  // Objects that this cluster does not have.
  const { priorityClassName: _, runtimeClassName: __, ...rest } = spec;
  return { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "pod", namespace }, spec: rest };
}
