// SPDX-License-Identifier: Apache-2.0
/**
 * Hosts whose clients have to show a certificate. Hitch verifies the chain, against the CA and the revocation lists of one file per
 * certificate it serves; Balance sees to it that the host of a request is the one the handshake was for, and that a host which
 * demands a certificate gets no request without one.
 */
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { X509Crl } from "@peculiar/x509";
import { sha256 } from "./certificate.ts";
import type { ObjectRef } from "./types.ts";

export type ClientCertificateMode = "required" | "optional";

/** What verifies clients: certificates of CAs, and behind them revocation lists, as one PEM text that Hitch reads from a file. */
export interface ClientCa {
  /** SHA-256 (hex) of `pem`; also the base name of the file. */
  readonly id: string;
  readonly pem: string;
}

export interface ClientCertificateDemand {
  /** `a.example` or `*.a.example`. */
  readonly host: string;
  readonly ca: ClientCa;
  readonly mode: ClientCertificateMode;
  readonly forward: {
    /** Beside `ssl-client-verify` and `ssl-client-subject-dn`: the certificate itself, in `ssl-client-cert`. */
    readonly certificate: boolean;
  };
  /** The Ingress or the policy that asks. */
  readonly source: ObjectRef;
}

const MAX_BYTES = 1024 * 1024;
const MAX_CAS = 64;
const MAX_CRLS = 64;

export type ClientCaResult =
  | { readonly ok: true; readonly ca: ClientCa; readonly warnings: readonly string[] }
  /** `why` is the end of a sentence that begins with the name of the object. */
  | { readonly ok: false; readonly field: "ca.crt" | "ca.crl"; readonly why: string };

/**
 * PEM texts → what Hitch is sure to accept: everything is parsed and written anew. With a revocation list OpenSSL wants a valid one of
 * every CA in a client's chain; `now` decides on warnings only.
 */
export function readClientCa(crt: string, crl: string | undefined, now: Date): ClientCaResult {
  const refuse = (field: "ca.crt" | "ca.crl", why: string) => ({ ok: false, field, why }) as const;
  if (crt.length > MAX_BYTES || (crl ?? "").length > MAX_BYTES) {
    return refuse(crt.length > MAX_BYTES ? "ca.crt" : "ca.crl", "is larger than 1 MiB");
  }
  const cas: X509Certificate[] = [];
  for (const der of readBlocks(crt, "CERTIFICATE")) {
    const certificate = parse(der, (bytes) => new X509Certificate(bytes));
    if (certificate === undefined) return refuse("ca.crt", `can't be read: certificate ${cas.length + 1}`);
    if (!certificate.ca) return refuse("ca.crt", `has a certificate that is no CA: number ${cas.length + 1}`);
    cas.push(certificate);
  }
  if (cas.length === 0) return refuse("ca.crt", "holds no PEM certificate");
  if (cas.length > MAX_CAS) return refuse("ca.crt", `holds more than ${MAX_CAS} certificates`);
  const lists: { readonly der: Buffer; readonly crl: X509Crl }[] = [];
  for (const der of readBlocks(crl ?? "", "X509 CRL")) {
    const list = parse(der, (bytes) => new X509Crl(bytes));
    if (list === undefined || der === undefined)
      return refuse("ca.crl", `can't be read: revocation list ${lists.length + 1}`);
    lists.push({ der, crl: list });
  }
  if (lists.length === 0 && (crl ?? "").trim() !== "")
    return refuse("ca.crl", "holds no PEM revocation list (X509 CRL)");
  if (lists.length > MAX_CRLS) return refuse("ca.crl", `holds more than ${MAX_CRLS} revocation lists`);
  const pem = [
    ...cas.map((certificate) => toPem("CERTIFICATE", certificate.raw)),
    ...lists.map(({ der }) => toPem("X509 CRL", der)),
  ].join("");
  return { ok: true, ca: { id: sha256(pem), pem }, warnings: warn(cas, lists, now) };
}

function warn(
  cas: readonly X509Certificate[],
  lists: readonly { readonly crl: X509Crl }[],
  now: Date,
): readonly string[] {
  const warnings: string[] = [];
  if (cas.some((certificate) => certificate.validToDate < now)) {
    warnings.push("ca.crt has an expired certificate; who was certified by it is refused");
  }
  if (lists.some(({ crl }) => crl.nextUpdate !== undefined && crl.nextUpdate < now)) {
    warnings.push("ca.crl has an expired revocation list; until it is renewed its clients are refused");
  }
  if (lists.length > 0 && lists.length < cas.length) {
    warnings.push(
      `ca.crl has ${lists.length} revocation lists for ${cas.length} CAs; clients of a CA without one are refused`,
    );
  }
  return warnings;
}

/** The bytes of all PEM blocks with this label; undefined for one that is not base64. */
function* readBlocks(text: string, label: string): Iterable<Buffer | undefined> {
  const pattern = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, "g");
  for (const [, body = ""] of text.matchAll(pattern)) {
    const base64 = body.replace(/\s+/g, "");
    yield /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, "base64") : undefined;
  }
}

function parse<T>(der: Buffer | undefined, read: (der: Buffer<ArrayBuffer>) => T): T | undefined {
  try {
    return der === undefined ? undefined : read(Buffer.from(der));
  } catch {
    return undefined;
  }
}

function toPem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
