// SPDX-License-Identifier: Apache-2.0
/** Keys and certificates as openssl makes them, and the real Hitch's opinion of what we make of them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { execa } from "execa";
import { parseCertificate } from "../../src/model/certificate.ts";
import { HITCH, skipWithoutDataPlane } from "../helpers/data-plane.ts";

const dir = mkdtempSync(join(tmpdir(), "evener-cert-"));
const keyFile = join(dir, "key.pem");
const crtFile = join(dir, "crt.pem");
const backend = createServer();

before(() => new Promise<void>((resolve) => backend.listen(join(dir, "backend.sock"), resolve)));
after(() => {
  backend.close();
  rmSync(dir, { recursive: true });
});

/** Runs openssl to make the key, then a self-signed certificate on it. */
function make(keyArguments: readonly string[], ...requestArguments: string[]): { crt: string; key: string } {
  const quiet = { stdio: "ignore" } as const;
  execFileSync("openssl", [...keyArguments, "-out", keyFile], quiet);
  const request = [
    "req",
    "-x509",
    "-new",
    "-key",
    keyFile,
    "-out",
    crtFile,
    "-days",
    "3650",
    "-subj",
    "/CN=a.example",
  ];
  execFileSync("openssl", [...request, ...requestArguments], quiet);
  return { crt: readFileSync(crtFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}

const parse = (crt: string, key: string) =>
  parseCertificate(Buffer.from(crt).toString("base64"), Buffer.from(key).toString("base64"));

async function hitchAccepts(pem: string): Promise<boolean> {
  writeFileSync(join(dir, "pem.pem"), pem);
  const conf = `frontend = "[127.0.0.1]:1"\nbackend = "${dir}/backend.sock"\npem-file = "${dir}/pem.pem"\n`;
  writeFileSync(join(dir, "hitch.conf"), conf);
  return (
    (await execa(HITCH, ["--test", `--config=${join(dir, "hitch.conf")}`], { reject: false })).exitCode === 0
  );
}

const ec = (curve: string) => ["genpkey", "-algorithm", "EC", "-pkeyopt", `ec_paramgen_curve:${curve}`];
const rsa = (bits: number) => ["genpkey", "-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`];

const ACCEPTED: Readonly<Record<string, () => { crt: string; key: string }>> = {
  "RSA 2048": () => make(rsa(2048)),
  "RSA in PKCS #1": () => make(["genrsa", "-traditional"]),
  "RSA-PSS": () => make(["genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
  "P-256": () => make(ec("P-256")),
  "P-256 in SEC 1 with parameters": () => make(["ecparam", "-name", "prime256v1", "-genkey"]),
  "P-384": () => make(ec("P-384")),
  "P-521": () => make(ec("P-521")),
  Ed25519: () => make(["genpkey", "-algorithm", "ED25519"]),
  Ed448: () => make(["genpkey", "-algorithm", "ED448"]),
  "self-signed with SHA-1": () => make(rsa(2048), "-sha1"),
};

const REFUSED: Readonly<Record<string, readonly [string, () => { crt: string; key: string }]>> = {
  "RSA 1024": ["WeakKey", () => make(rsa(1024))],
  secp256k1: ["KeyTypeNotSupported", () => make(ec("secp256k1"))],
  "P-224": ["KeyTypeNotSupported", () => make(ec("P-224"))],
  "P-192": ["KeyTypeNotSupported", () => make(ec("P-192"))],
};

describe("parseCertificate", () => {
  for (const [name, making] of Object.entries(ACCEPTED)) {
    test(`accepts ${name}, as Hitch does`, async () => {
      const { crt, key } = making();
      const parsed = parse(crt, key);
      assert.ok(parsed.ok, JSON.stringify(parsed));
      assert.deepEqual(parsed.names, ["a.example"]);
      assert.match(parsed.pem, /^-----BEGIN PRIVATE KEY-----\n/);
      if (skipWithoutDataPlane() === false) assert.ok(await hitchAccepts(parsed.pem));
    });
  }

  for (const [name, [reason, making]] of Object.entries(REFUSED)) {
    test(`refuses ${name}`, () => {
      const { crt, key } = making();
      const parsed = parse(crt, key);
      assert.ok(!parsed.ok);
      assert.equal(parsed.reason, reason);
    });
  }

  test("nothing around or inside the PEM blocks comes through", () => {
    const { crt, key } = make(ec("P-256"));
    const noise = "\nBag Attributes: hostile\n-----BEGIN NOTHING-----\nhostile\n-----END NOTHING-----\n";
    const parsed = parse(
      `${noise}${crt.replaceAll("\n", "\r\n")}${noise}`,
      `${noise}${key.replaceAll("\n", " \n")}${noise}`,
    );
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const clean = parse(crt, key);
    assert.deepEqual(parsed, clean);
    assert.doesNotMatch(parsed.pem, /hostile/);
  });

  const odd: Readonly<Record<string, readonly [string, (crt: string, key: string) => [string, string]]>> = {
    "nothing at all": ["CertificateUnparsable", () => ["", ""]],
    "a cut certificate": ["CertificateUnparsable", (crt, key) => [crt.replace(/\n.{64}\n/, "\n"), key]],
    "a cut key": ["KeyUnparsable", (crt, key) => [crt, key.replace(/\n.{64}\n/, "\n")]],
    "an unclosed block": ["CertificateUnparsable", (crt, key) => [crt.replace(/-----END.*/, ""), key]],
    "a public key": ["KeyUnparsable", (crt) => [crt, crt.replaceAll("CERTIFICATE", "PUBLIC KEY")]],
    "a key of an odd kind": [
      "KeyTypeNotSupported",
      (crt, key) => [crt, key.replaceAll("PRIVATE", "OPENSSH PRIVATE")],
    ],
    "too many certificates": ["CertificateUnparsable", (crt, key) => [crt.repeat(17), key]],
    "too many bytes": ["CertificateUnparsable", (crt, key) => [crt + " ".repeat(1 << 20), key]],
    "an old encrypted key": [
      "KeyEncrypted",
      (crt, key) => [crt, key.replace(/KEY-----\n/, "KEY-----\nProc-Type: 4,ENCRYPTED\n")],
    ],
  };
  for (const [name, [reason, change]] of Object.entries(odd)) {
    test(`refuses ${name}`, () => {
      const { crt, key } = make(ec("P-256"));
      const parsed = parse(...change(crt, key));
      assert.ok(!parsed.ok);
      assert.equal(parsed.reason, reason);
    });
  }
});
