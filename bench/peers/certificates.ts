// SPDX-License-Identifier: Apache-2.0
/** Self-signed P-256 certificates, key and certificate in one file as all of the proxies take them. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface Pem {
  readonly key: string;
  readonly cert: string;
}

export interface PemMaker {
  make(host: string): Promise<Pem>;
}

/**
 * One key for all: what is measured is how many there are. For a host as long as an earlier one the earlier certificate is taken
 * with the other name in it, which saves thousands of signatures; nobody verifies the one that is in a self-signed certificate.
 */
export async function createPemMaker(): Promise<PemMaker> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const key = `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
  const byLength = new Map<number, Buffer>();

  async function sign(host: string): Promise<Buffer> {
    const { rawData } = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${host}`,
      notBefore: new Date(Date.now() - 86400_000),
      notAfter: new Date(Date.now() + 86400_000),
      keys: keys as never,
      signingAlgorithm: ECDSA as never,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }])],
    });
    return Buffer.from(rawData);
  }

  return {
    async make(host) {
      const placeholder = "x".repeat(host.length);
      const known = byLength.get(host.length) ?? (await sign(placeholder));
      byLength.set(host.length, known);
      const der = Buffer.from(known.toString("latin1").replaceAll(placeholder, host), "latin1");
      return { key, cert: `${x509.PemConverter.encode(der, "CERTIFICATE")}\n` };
    },
  };
}
