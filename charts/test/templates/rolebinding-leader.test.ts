// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { renderOne } from "../lib/assert-chart.ts";

test("it gives the role to the account of the pods", async () => {
  const { metadata, roleRef, subjects } = await renderOne("RoleBinding", {}, "evener-leader");
  assert.equal(metadata.namespace, "ingress");
  assert.equal(roleRef.name, "evener-leader");
  assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: "evener", namespace: "ingress" }]);
});
