// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderKind } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const NAME = "evener.ingress-secrets";

test("one for each role", async () => {
  const values = VALUE_SETS["Secrets by name"] ?? {};
  const of = async (kind: string) =>
    (await renderKind(kind, values))
      .filter(({ metadata }) => metadata.name === NAME)
      .map(({ metadata }) => metadata.namespace);
  assert.deepEqual(await of("RoleBinding"), await of("Role"));
  assert.equal((await of("Role")).length, 3);
});

test("none by default, and none without rbac.create", async () => {
  await assertNone("RoleBinding", {}, NAME);
  await assertNone("RoleBinding", { ...VALUE_SETS["Secrets by name"], rbac: { create: false } });
});
