// SPDX-License-Identifier: Apache-2.0
/**
 * A TLS Secret → one PEM text that Hitch is sure to accept: everything is parsed and written anew, so that no
 * byte of the Secret is left outside the base64 of a checked DER structure.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readServerNames } from "./certificate-names.ts";
import { findKeyFault, findSignatureFault } from "./certificate-strength.ts";

const MAX_PEM_BYTES = 256 * 1024;
const MAX_CHAIN = 16;

export interface ParsedCertificate {
  readonly ok: true;
  /** Key, leaf, chain. */
  readonly pem: string;
  /** As Hitch puts them into its table: from SAN or CN; case as in the certificate. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly warnings: readonly CertificateFault[];
}

export interface CertificateFault {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface RefusedCertificate extends CertificateFault {
  readonly ok: false;
}

export type CertificateResult = ParsedCertificate | RefusedCertificate;

/** Values of `tls.crt` and `tls.key` as they stand in the Secret: base64. */
export function parseCertificate(crtBase64: string, keyBase64: string): CertificateResult {
  const certificates = readCertificates(crtBase64);
  if (!Array.isArray(certificates)) return certificates;
  const key = readKey(keyBase64);
  if ("ok" in key) return key;

  const leafIndex = certificates.findIndex((certificate) => certificate.checkPrivateKey(key));
  const leaf = certificates[leafIndex];
  if (leaf === undefined) {
    return refuse("KeyMismatch", "the key belongs to none of the certificates", "data[tls.key]");
  }
  const chain = orderChain(leaf, certificates);
  const fault = findFault(chain);
  if (fault !== undefined) return refuse(fault.reason, fault.message, "data[tls.crt]");
  const names = readServerNames(leaf);
  if (typeof names === "string") return refuse("CertificateNameNotAllowed", names, "data[tls.crt]");

  return {
    ok: true,
    pem: `${key.export({ type: "pkcs8", format: "pem" })}${chain.map(toPem).join("")}`,
    names,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
    warnings: describeOrder(certificates, chain),
  };
}

interface PemBlock {
  readonly label: string;
  readonly body: string;
}

function readPem(base64: string): readonly PemBlock[] | undefined {
  if (base64.length > MAX_PEM_BYTES * 2) return undefined;
  const text = Buffer.from(base64, "base64").toString("latin1");
  const blocks: PemBlock[] = [];
  const marker = /-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----/g;
  let open: { label: string; from: number } | undefined;
  for (const match of text.matchAll(marker)) {
    const label = match[2] ?? "";
    if (match[1] === "BEGIN") open = { label, from: match.index + match[0].length };
    else if (open?.label === label) {
      blocks.push({ label, body: text.slice(open.from, match.index) });
      open = undefined;
    }
  }
  return blocks;
}

function decodeBody(block: PemBlock): Buffer | undefined {
  const body = block.body.replace(/\s+/g, "");
  return /^[A-Za-z0-9+/]+={0,2}$/.test(body) ? Buffer.from(body, "base64") : undefined;
}

function readCertificates(base64: string): X509Certificate[] | RefusedCertificate {
  const field = "data[tls.crt]";
  const blocks = readPem(base64);
  if (blocks === undefined) return refuse("CertificateUnparsable", "tls.crt is too large", field);
  const found = blocks.filter(({ label }) => label === "CERTIFICATE" || label === "X509 CERTIFICATE");
  if (found.length === 0) return refuse("CertificateUnparsable", "tls.crt holds no PEM certificate", field);
  if (found.length > MAX_CHAIN) {
    return refuse("CertificateUnparsable", `tls.crt holds more than ${MAX_CHAIN} certificates`, field);
  }
  const certificates: X509Certificate[] = [];
  for (const [i, block] of found.entries()) {
    const der = decodeBody(block);
    try {
      if (der === undefined) throw new Error("not base64");
      certificates.push(new X509Certificate(der));
    } catch {
      return refuse("CertificateUnparsable", `certificate ${i + 1} of tls.crt can't be read`, field);
    }
  }
  return certificates;
}

const KEY_TYPES: Readonly<Record<string, "pkcs8" | "pkcs1" | "sec1">> = {
  "PRIVATE KEY": "pkcs8",
  "RSA PRIVATE KEY": "pkcs1",
  "EC PRIVATE KEY": "sec1",
};

function readKey(base64: string): KeyObject | RefusedCertificate {
  const field = "data[tls.key]";
  const blocks = readPem(base64);
  const block = blocks?.find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (block === undefined) return refuse("KeyUnparsable", "tls.key holds no PEM private key", field);
  if (block.label === "ENCRYPTED PRIVATE KEY" || block.body.includes("Proc-Type:")) {
    return refuse("KeyEncrypted", "the key is encrypted; Evener has no passphrase for it", field);
  }
  const type = Object.hasOwn(KEY_TYPES, block.label) ? KEY_TYPES[block.label] : undefined;
  if (type === undefined)
    return refuse("KeyTypeNotSupported", `keys of type ${block.label} are not supported`, field);
  const der = decodeBody(block);
  try {
    if (der === undefined) throw new Error("not base64");
    return createPrivateKey({ key: der, format: "der", type });
  } catch {
    // OpenSSL's own message could quote what it read.
    return refuse("KeyUnparsable", "the key in tls.key can't be read", field);
  }
}

/** Leaf first, then issuer after issuer; what does not belong to the chain is dropped. */
function orderChain(leaf: X509Certificate, certificates: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf];
  const rest = certificates.filter((certificate) => certificate !== leaf);
  let last = leaf;
  while (rest.length > 0) {
    const next = rest.findIndex((candidate) => last.checkIssued(candidate));
    const [issuer] = next === -1 ? [] : rest.splice(next, 1);
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function describeOrder(
  given: readonly X509Certificate[],
  chain: readonly X509Certificate[],
): CertificateFault[] {
  if (given.length === chain.length && given.every((certificate, i) => certificate === chain[i])) return [];
  const dropped = given.length - chain.length;
  const message =
    dropped > 0
      ? `${dropped} of ${given.length} certificates in tls.crt are not part of the chain and are not sent`
      : "the certificates in tls.crt are out of order; they are sent leaf first";
  return [{ reason: "CertificateChainOrder", message, field: "data[tls.crt]" }];
}

/** Hitch refuses its whole configuration for one certificate that OpenSSL's security level does not let pass. */
function findFault(chain: readonly X509Certificate[]): CertificateFault | undefined {
  for (const [i, certificate] of chain.entries()) {
    const which = i === 0 ? "the certificate" : `chain certificate ${i}`;
    const keyFault = findKeyFault(certificate.publicKey, i === 0);
    if (keyFault !== undefined) return { ...keyFault, message: `${which} has ${keyFault.message}` };
    const isSelfSigned = certificate.checkIssued(certificate);
    const signatureFault = isSelfSigned ? undefined : findSignatureFault(certificate);
    if (signatureFault !== undefined)
      return { ...signatureFault, message: `${which} has ${signatureFault.message}` };
  }
  return undefined;
}

function toPem(certificate: X509Certificate): string {
  const lines = certificate.raw.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function refuse(reason: string, message: string, field: string): RefusedCertificate {
  return { ok: false, reason, message, field };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
