// SPDX-License-Identifier: Apache-2.0
/** A self-signed certificate for names that nobody has a certificate for: Hitch can't start without one. */
import "reflect-metadata";
import { createHash, randomBytes, webcrypto } from "node:crypto";
import { PemConverter, X509CertificateGenerator } from "@peculiar/x509";
import type { Certificate } from "../model/types.ts";

const YEAR_MS = 365 * 24 * 3600 * 1000;

export async function generateFallbackCertificate(now: Date): Promise<Certificate> {
  const crypto = webcrypto;
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  // Clocks differ: a client that is a little behind shall not see a certificate from the future.
  const notBefore = new Date(now.getTime() - 3600 * 1000);
  const notAfter = new Date(now.getTime() + 10 * YEAR_MS);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      // The first bit stays clear: a serial number is positive.
      serialNumber: `4${randomBytes(16).toString("hex").slice(1)}`,
      name: "CN=Evener fallback certificate",
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      keys,
    },
    crypto,
  );
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  const pem = `${key.trim()}\n${certificate.toString("pem").trim()}\n`;
  const id = createHash("sha256").update(pem).digest("hex");
  return { id, pem, hosts: [], notAfter: notAfter.toISOString() };
}
