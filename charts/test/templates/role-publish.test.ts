// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

const NAME = "evener.ingress-publish";
const SCOPE = { scope: { enabled: true, namespace: "shop" } };

test("the chart's own Service, from a namespace that is not watched", async () => {
  const { metadata, rules } = await renderOne("Role", SCOPE, NAME);
  assert.equal(metadata.namespace, "ingress");
  assert.deepEqual(rules, [
    { apiGroups: [""], resources: ["services"], resourceNames: ["evener"], verbs: ["list", "watch"] },
  ]);
});

test("another one", async () => {
  const { metadata, rules } = await renderOne(
    "Role",
    { ...SCOPE, publishService: { pathOverride: "network/front" } },
    NAME,
  );
  assert.equal(metadata.namespace, "network");
  assert.deepEqual(rules[0].resourceNames, ["front"]);
});

test("none where it is watched anyway, or not used", async () => {
  await assertNone("Role", {}, NAME);
  await assertNone("Role", { scope: { enabled: true } }, NAME);
  await assertNone("Role", { ...SCOPE, publishService: { enabled: false } }, NAME);
  await assertNone("Role", { ...SCOPE, publishStatusAddresses: ["192.0.2.1"] }, NAME);
});
