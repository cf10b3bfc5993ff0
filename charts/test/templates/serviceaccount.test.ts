// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderKind, renderOne } from "../lib/assert-chart.ts";

test("no token is mounted by itself", async () => {
  const account = await renderOne("ServiceAccount");
  assert.equal(account.metadata.name, "evener");
  assert.equal(account.automountServiceAccountToken, false);
});

test("an account that exists is used, and bound", async () => {
  const values = { serviceAccount: { create: false, name: "existing" } };
  await assertNone("ServiceAccount", values);
  const { spec } = await renderOne("Deployment", values);
  assert.equal(spec.template.spec.serviceAccountName, "existing");
  const [binding] = await renderKind("ClusterRoleBinding", values);
  assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: "existing", namespace: "ingress" }]);
});

test("name and annotations", async () => {
  const values = { serviceAccount: { name: "edge", annotations: { role: "edge" } } };
  const { metadata } = await renderOne("ServiceAccount", values);
  assert.equal(metadata.name, "edge");
  assert.deepEqual(metadata.annotations, { role: "edge" });
});
