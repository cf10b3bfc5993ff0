// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";

/** SHA-256 of the first certificate of a PEM file that may begin with its key. */
export function fingerprintLeaf(pem: string): string {
  const begin = pem.indexOf("-----BEGIN CERTIFICATE-----");
  if (begin < 0) throw new Error("there is no certificate in this PEM file");
  return normalizeFingerprint(new X509Certificate(pem.slice(begin)).fingerprint256);
}

export function normalizeFingerprint(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
