// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

const NAME = "evener.ingress-publish";

test("beside its role", async () => {
  const { metadata, roleRef, subjects } = await renderOne(
    "RoleBinding",
    { scope: { enabled: true, namespace: "shop" } },
    NAME,
  );
  assert.equal(metadata.namespace, "ingress");
  assert.equal(roleRef.name, NAME);
  assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: "evener", namespace: "ingress" }]);
});

test("none by default", async () => {
  await assertNone("RoleBinding", {}, NAME);
});
