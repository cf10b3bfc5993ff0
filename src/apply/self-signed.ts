// SPDX-License-Identifier: Apache-2.0
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  type Extension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
  readonly notAfter: Date;
}

const DAY_MS = 24 * 3600 * 1000;

/** An ECDSA P-256 key and a certificate for it, signed by itself; with `ca` one that may sign others. */
export async function generateSelfSigned(
  commonName: string,
  hosts: readonly string[],
  now: Date,
  days: number,
  ca = false,
): Promise<SelfSigned> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  // Clocks differ: a client that is a little behind shall not see a certificate from the future.
  const notBefore = new Date(now.getTime() - 3600 * 1000);
  const notAfter = new Date(now.getTime() + days * DAY_MS);
  const extensions: Extension[] = ca ? [new BasicConstraintsExtension(true)] : [];
  const names = hosts.map((value) => ({ type: "dns" as const, value }));
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      // The first bit stays clear: a serial number is positive.
      serialNumber: `4${randomBytes(16).toString("hex").slice(1)}`,
      name: `CN=${commonName}`,
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        ...extensions,
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
      ],
    },
    webcrypto,
  );
  const key = PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { key: `${key.trim()}\n`, cert: `${certificate.toString("pem").trim()}\n`, notAfter };
}
