// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderKind } from "../lib/assert-chart.ts";

const SCOPE = { scope: { enabled: true, namespace: "shop", additionalNamespaces: ["blog"] } };

test("one per watched namespace, for the account of the release", async () => {
  const bindings = (await renderKind("RoleBinding", SCOPE)).filter(
    ({ metadata }) => metadata.name === "evener.ingress",
  );
  assert.deepEqual(
    bindings.map(({ metadata }) => metadata.namespace),
    ["shop", "blog"],
  );
  for (const { roleRef, subjects } of bindings) {
    assert.deepEqual(roleRef, {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "Role",
      name: "evener.ingress",
    });
    assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: "evener", namespace: "ingress" }]);
  }
});

test("none without rbac.create", async () => {
  await assertNone("RoleBinding", { ...SCOPE, rbac: { create: false } });
});
