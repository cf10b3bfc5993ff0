// SPDX-License-Identifier: Apache-2.0
/** The benchmark's many certificates are ones that Evener takes, each for its own host. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createPemMaker } from "../../bench/peers/certificates.ts";
import { parseCertificate } from "../../src/model/certificate.ts";

test("certificates for hosts of the same and of other lengths name their hosts", async () => {
  const maker = await createPemMaker();
  for (const host of ["a.example", "b.example", "h10.example", "h99.example", "a.example"]) {
    const { key, cert } = await maker.make(host);
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const parsed = parseCertificate(base64(cert), base64(key));
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.names, [host]);
    const { subject, issuer } = new X509Certificate(cert);
    assert.deepEqual([subject, issuer], [`CN=${host}`, `CN=${host}`]);
  }
});
