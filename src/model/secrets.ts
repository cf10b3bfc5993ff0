// SPDX-License-Identifier: Apache-2.0
/** Reads TLS Secrets and remembers what came out: a rebuild happens on every endpoint change, keys seldom change. */
import type { V1Secret } from "@kubernetes/client-node";
import { type CertificateResult, parseCertificate, sha256 } from "./certificate.ts";
import { quote } from "./quote.ts";

/** A source replaces an object that changed, so the same `data` means the same content. */
const byIdentity = new WeakMap<object, CertificateResult>();
/** The same content in a new object, as after a relist. Small: identity answers almost always. */
const byContent = new Map<string, CertificateResult>();
const MAX_BY_CONTENT = 20_000;

/** What can be said without a clock and without the rest of the world; time is looked at by the caller. */
export function readTlsSecret(secret: V1Secret): CertificateResult {
  const type = secret.type ?? "Opaque";
  if (type !== "kubernetes.io/tls" && type !== "Opaque") {
    const message = `is of type ${quote(type)}, not kubernetes.io/tls`;
    return { ok: false, reason: "SecretNotTls", message, field: "type" };
  }
  const { data } = secret;
  const crt = data?.["tls.crt"];
  const key = data?.["tls.key"];
  if (data === undefined || !crt || !key) {
    const missing = crt ? "tls.key" : "tls.crt";
    return { ok: false, reason: "SecretNotTls", message: `has no ${missing}`, field: `data[${missing}]` };
  }
  const known = byIdentity.get(data);
  if (known !== undefined) return known;
  const id = sha256(`${crt}\n${key}`);
  const result = byContent.get(id) ?? parseCertificate(crt, key);
  byIdentity.set(data, result);
  // Insertion order makes a Map the simplest of LRU lists.
  byContent.delete(id);
  byContent.set(id, result);
  if (byContent.size > MAX_BY_CONTENT) {
    const [oldest] = byContent.keys();
    if (oldest !== undefined) byContent.delete(oldest);
  }
  return result;
}
