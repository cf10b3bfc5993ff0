// SPDX-License-Identifier: Apache-2.0
/**
 * The names that Hitch puts into its SNI table for a certificate (hitch.c, load_cert_ctx and insert_sni_names):
 * the DNS entries of the SAN extension; when there is no SAN extension at all, the first CN. A wildcard is kept
 * without its star, and a lookup is first by the whole server name, then from its first dot on.
 */
import type { X509Certificate } from "node:crypto";

/**
 * Labels may be odd (underscores), as they can only ever match the same odd server name. A leading dot must not pass:
 * `.a.example` would take the table's place of `*.a.example`. Nor must a NUL: Hitch reads up to it.
 */
const NAME = /^(?:\*\.)?[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/;

/** DER of the identifier 2.5.29.17. Given twice, OpenSSL finds no SAN and Hitch falls back to the CN. */
const SAN_OID = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x11]);

/** The names, or a sentence about what is wrong with them. */
export function readServerNames(certificate: X509Certificate): readonly string[] | string {
  const { raw, subjectAltName } = certificate;
  if (raw.indexOf(SAN_OID) !== raw.lastIndexOf(SAN_OID)) return "the certificate has two SAN extensions";
  // An empty or unreadable extension counts as none, for OpenSSL and Hitch too.
  const names = subjectAltName ? readDnsNames(subjectAltName) : readCommonName(certificate);
  if (names === undefined) return "the certificate has neither subject alternative names nor a common name";
  if (names.every((name) => name.length <= 253 && NAME.test(name))) return [...new Set(names)].sort();
  return "a subject alternative name or the common name of the certificate is no host name";
}

/** Node writes `DNS:a, IP Address:1.2.3.4, DNS:"b\\u0000"`: what could be ambiguous is quoted, and fails the check. */
function readDnsNames(subjectAltName: string): readonly string[] {
  const names: string[] = [];
  for (const match of subjectAltName.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    if (match[1] === "DNS") names.push(match[2] ?? "");
  }
  return names;
}

function readCommonName(certificate: X509Certificate): readonly string[] | undefined {
  const subject = certificate.toLegacyObject().subject as { CN?: string | string[] } | undefined;
  const cn = subject?.CN;
  const first = Array.isArray(cn) ? cn[0] : cn;
  return first === undefined ? undefined : [first];
}
