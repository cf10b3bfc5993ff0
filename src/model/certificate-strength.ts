// SPDX-License-Identifier: Apache-2.0
/** What OpenSSL 3.5 refuses at its default security level 2 (112 bits): SSL_CTX_set_security_level(3). */
import type { KeyObject, X509Certificate } from "node:crypto";

const MIN_RSA_BITS = 2048;
// Every handshake pays for the key: an enormous one would be a burden for all hosts of the process.
const MAX_RSA_BITS = 8192;
/** Curves that TLS 1.2 and 1.3 both can sign with (RFC 8446 §4.2.3). */
const CURVES = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** Further curves of 224 bits and more, good enough to have signed the leaf. */
const CHAIN_CURVES = new Set([
  ...CURVES,
  "secp224r1",
  "secp256k1",
  "brainpoolP256r1",
  "brainpoolP384r1",
  "brainpoolP512r1",
]);

/** Signature algorithms on MD2, MD4, MD5 and SHA-1. */
const WEAK_SIGNATURES = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.3",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.3.14.3.2.29",
  "1.2.840.10045.4.1",
  "1.2.840.10040.4.3",
]);
const RSASSA_PSS = "1.2.840.113549.1.1.10";
/** DER of the SHA-2 and SHA-3 arc 2.16.840.1.101.3.4.2; PSS parameters without it mean SHA-1. */
const NIST_HASHES = Buffer.from([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]);

export interface StrengthFault {
  readonly reason: "WeakKey" | "WeakSignature" | "KeyTypeNotSupported";
  readonly message: string;
}

export function findKeyFault(key: KeyObject, isLeaf: boolean): StrengthFault | undefined {
  const type = String(key.asymmetricKeyType);
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  switch (type) {
    case "rsa":
    case "rsa-pss":
      if (modulusLength < MIN_RSA_BITS) {
        return weakKey(`an RSA key of ${modulusLength} bits; at least ${MIN_RSA_BITS} are needed`);
      }
      if (modulusLength > MAX_RSA_BITS) {
        return unsupported(`an RSA key of ${modulusLength} bits; at most ${MAX_RSA_BITS} are supported`);
      }
      return undefined;
    case "ec":
      // Chain certificates are only checked for strength; no handshake signs with them.
      if ((isLeaf ? CURVES : CHAIN_CURVES).has(namedCurve)) return undefined;
      return unsupported("a key on an elliptic curve that is not supported");
    case "ed25519":
    case "ed448":
      return undefined;
    default:
      return unsupported("a key of a type that TLS 1.3 has no signature for");
  }
}

export function findSignatureFault(certificate: X509Certificate): StrengthFault | undefined {
  const oid = certificate.signatureAlgorithmOid;
  const isWeak =
    oid === undefined ||
    WEAK_SIGNATURES.has(oid) ||
    (oid === RSASSA_PSS && !certificate.raw.subarray(0, 200).includes(NIST_HASHES));
  if (!isWeak) return undefined;
  return { reason: "WeakSignature", message: "a signature made with MD5 or SHA-1, which OpenSSL refuses" };
}

function weakKey(message: string): StrengthFault {
  return { reason: "WeakKey", message };
}

function unsupported(message: string): StrengthFault {
  return { reason: "KeyTypeNotSupported", message };
}
