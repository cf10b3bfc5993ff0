// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

test("only the Lease of its own name, in its own namespace", async () => {
  const { metadata, rules } = await renderOne("Role", { electionID: "edge" }, "evener-leader");
  assert.equal(metadata.namespace, "ingress");
  assert.deepEqual(rules, [
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
    {
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      resourceNames: ["edge"],
      verbs: ["get", "update"],
    },
  ]);
});

test("the Lease is that of the release", async () => {
  const release = { release: "edge" };
  const { rules } = await renderOne("Role", {}, "edge-evener-leader", release);
  assert.deepEqual(rules[1].resourceNames, ["edge-evener-leader"]);
  const { args } = (await renderOne("Deployment", {}, undefined, release)).spec.template.spec.containers[0];
  assert.ok(args.includes("--election-id=edge-evener-leader"));
});

test("none without rbac.create", async () => {
  await assertNone("Role", { rbac: { create: false } });
});
