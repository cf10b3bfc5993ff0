// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";

test("the certificate and key that were given", async () => {
  const certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
  const key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
  const { metadata, type, data } = await renderOne("Secret", { defaultTLS: { certificate, key } });
  assert.equal(metadata.name, "evener-default-tls");
  assert.equal(type, "kubernetes.io/tls");
  assert.equal(Buffer.from(data["tls.crt"], "base64").toString(), certificate);
  assert.equal(Buffer.from(data["tls.key"], "base64").toString(), key);
});

test("none for a Secret that exists, and none by default", async () => {
  await assertNone("Secret", { defaultTLS: { existingSecret: "wildcard" } });
  await assertNone("Secret");
});
