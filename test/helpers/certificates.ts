// SPDX-License-Identifier: Apache-2.0
/** Certificates for tests, made when needed: no private key is ever part of the repository. */
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

type Crypto = Parameters<typeof x509.cryptoProvider.set>[0];
x509.cryptoProvider.set(webcrypto as unknown as Crypto);

export interface CertificateSpec {
  /** DNS names of the SAN extension. */
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
  readonly commonName?: string;
  /** A second SAN extension, as no honest certificate has. */
  readonly secondNames?: readonly string[];
  readonly key?: "p256" | "rsa2048" | "rsa1024" | "ed25519";
  readonly hash?: "SHA-256" | "SHA-1";
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Name of another certificate in the same set; self-signed without one. */
  readonly issuer?: string;
  readonly ca?: boolean;
  /** Makes the key's PEM an encrypted one. */
  readonly passphrase?: string;
}

export interface MadeCertificate {
  readonly crt: string;
  readonly key: string;
}

interface Made extends MadeCertificate {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

type CryptoKeyPair = { readonly privateKey: webcrypto.CryptoKey; readonly publicKey: webcrypto.CryptoKey };

/** Makes a set of certificates by name; issuers are made first. */
export async function makeCertificates(
  specs: Readonly<Record<string, CertificateSpec>>,
): Promise<ReadonlyMap<string, MadeCertificate>> {
  const made = new Map<string, Made>();
  async function make(name: string): Promise<Made> {
    const known = made.get(name);
    if (known !== undefined) return known;
    const spec = specs[name];
    if (spec === undefined) throw new Error(`no certificate is named ${name}`);
    const issuer = spec.issuer === undefined ? undefined : await make(spec.issuer);
    const result = await makeOne(name, spec, issuer);
    made.set(name, result);
    return result;
  }
  for (const name of Object.keys(specs)) await make(name);
  return made;
}

async function makeOne(name: string, spec: CertificateSpec, issuer: Made | undefined): Promise<Made> {
  const hash = spec.hash ?? "SHA-256";
  const keys = await makeKeys(spec.key ?? "p256", hash);
  const subject = spec.commonName === undefined ? `O=test ${name}` : `CN=${spec.commonName}`;
  const signer = issuer?.keys.privateKey ?? keys.privateKey;
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(spec.notBefore ?? "2025-01-01T00:00:00Z"),
    notAfter: new Date(spec.notAfter ?? "2035-01-01T00:00:00Z"),
    publicKey: keys.publicKey as never,
    signingKey: signer as never,
    signingAlgorithm: { name: signer.algorithm.name, hash } as never,
    extensions: [
      new x509.BasicConstraintsExtension(spec.ca ?? false),
      ...sanExtension(spec.names ?? [], spec.addresses ?? []),
      ...sanExtension(spec.secondNames ?? [], []),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const cipher = spec.passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase: spec.passphrase };
  return {
    certificate,
    keys,
    crt: `${certificate.toString("pem")}\n`,
    key: key.export({ type: "pkcs8", format: "pem", ...cipher }).toString(),
  };
}

function sanExtension(names: readonly string[], addresses: readonly string[]): x509.Extension[] {
  if (names.length + addresses.length === 0) return [];
  return [
    new x509.SubjectAlternativeNameExtension([
      ...names.map((value) => ({ type: "dns" as const, value })),
      ...addresses.map((value) => ({ type: "ip" as const, value })),
    ]),
  ];
}

async function makeKeys(kind: NonNullable<CertificateSpec["key"]>, hash: string): Promise<CryptoKeyPair> {
  const uses: webcrypto.KeyUsage[] = ["sign", "verify"];
  if (kind === "ed25519") return (await webcrypto.subtle.generateKey("Ed25519", true, uses)) as CryptoKeyPair;
  if (kind === "p256") {
    return webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, uses);
  }
  const modulusLength = kind === "rsa1024" ? 1024 : 2048;
  const publicExponent = new Uint8Array([1, 0, 1]);
  return webcrypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent, hash },
    true,
    uses,
  );
}
