// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import type { Values } from "../../tools/helm.ts";
import { listGrants } from "../lib/rbac.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

async function listSecretGrants(values: Values = {}): Promise<string[]> {
  return (await listGrants(values)).filter((grant) => / secrets/.test(grant)).toSorted();
}

test("by name: just those, and the default certificate", async () => {
  assert.deepEqual(await listSecretGrants(VALUE_SETS["Secrets by name"]), [
    "blog: list watch secrets [blog-tls blog.example]",
    "ingress: list watch secrets [wildcard]",
    "shop: list watch secrets [shop-tls]",
  ]);
});

test("by name in a watched namespace: the default certificate joins them", async () => {
  assert.deepEqual(await listSecretGrants(VALUE_SETS["Secrets by name, scoped"]), [
    "shop: list watch secrets [shop-tls default]",
  ]);
});

test("by any name: all of them may be read", async () => {
  assert.deepEqual(await listSecretGrants(VALUE_SETS["Secrets by any name"]), ["*: list watch secrets"]);
});

test("the default certificate needs nothing more where all may be read", async () => {
  const all = ["*: list watch secrets"];
  assert.deepEqual(await listSecretGrants({ defaultTLS: { existingSecret: "shop/wildcard" } }), all);
  assert.deepEqual(await listSecretGrants(VALUE_SETS["own namespace"]), ["ingress: list watch secrets"]);
});
