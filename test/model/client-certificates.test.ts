// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readClientCa } from "../../src/model/client-certificates.ts";
import { makeCertificates } from "../helpers/certificates.ts";
import { HOSTILE, MARK } from "../helpers/hostile.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const made = await makeCertificates({
  ca: { commonName: "ca", ca: true },
  old: { commonName: "old", ca: true, notAfter: "2025-06-01T00:00:00Z" },
  leaf: { names: ["a.example"] },
});
const pem = (name: string) => made.get(name)?.crt ?? "";

describe("what verifies clients", () => {
  test("is written anew: nothing around the certificates stays", () => {
    const plain = readClientCa(pem("ca"), undefined, NOW);
    const noisy = readClientCa(`# ${MARK}\n${pem("ca")}\n"${MARK}"\n`, "", NOW);
    assert.ok(plain.ok && noisy.ok);
    assert.deepEqual(noisy.ca, plain.ca);
    assert.match(plain.ca.id, /^[0-9a-f]{64}$/);
    assert.deepEqual(plain.warnings, []);
  });

  test("an expired CA is told about", () => {
    const read = readClientCa(`${pem("ca")}${pem("old")}`, undefined, NOW);
    assert.ok(read.ok);
    assert.match(read.warnings.join(), /expired certificate/);
  });

  const wrong: readonly (readonly [
    what: string,
    crt: string,
    crl: string | undefined,
    field: string,
    why: RegExp,
  ])[] = [
    ["nothing", "", undefined, "ca.crt", /no PEM certificate/],
    ["a key", pem("ca").replaceAll("CERTIFICATE", "PRIVATE KEY"), undefined, "ca.crt", /no PEM certificate/],
    ["a leaf", `${pem("ca")}${pem("leaf")}`, undefined, "ca.crt", /no CA: number 2/],
    [
      "garbage",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      undefined,
      "ca.crt",
      /can't be read/,
    ],
    ["too many", pem("ca").repeat(65), undefined, "ca.crt", /more than 64/],
    ["too much", "x".repeat(2 ** 20 + 1), undefined, "ca.crt", /larger/],
    ["a list that is none", pem("ca"), "nothing", "ca.crl", /no PEM revocation list/],
    [
      "a list of garbage",
      pem("ca"),
      "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
      "ca.crl",
      /can't be read/,
    ],
  ];
  for (const [what, crt, crl, field, why] of wrong) {
    test(`${what} is refused`, () => {
      const read = readClientCa(crt, crl, NOW);
      assert.ok(!read.ok);
      assert.equal(read.field, field);
      assert.match(read.why, why);
    });
  }

  test("no hostile byte is left", () => {
    for (const text of Object.values(HOSTILE)) {
      const read = readClientCa(`${text}${pem("ca")}${text}`, undefined, NOW);
      if (read.ok) assert.doesNotMatch(read.ca.pem.toLowerCase(), new RegExp(MARK));
      assert.equal(readClientCa(text, text, NOW).ok, false);
    }
  });
});
