// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

test("it gives the role to the account of the pods", async () => {
  const { metadata, roleRef, subjects } = await renderOne("ClusterRoleBinding");
  assert.equal(metadata.name, "evener.ingress");
  assert.deepEqual(roleRef, {
    apiGroup: "rbac.authorization.k8s.io",
    kind: "ClusterRole",
    name: "evener.ingress",
  });
  assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: "evener", namespace: "ingress" }]);
});

test("none without rbac.create", async () => {
  await assertNone("ClusterRoleBinding", { rbac: { create: false } });
});
