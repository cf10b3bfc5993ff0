// SPDX-License-Identifier: Apache-2.0
/** Self-signed P-256 certificates, key and certificate in one file as all of the proxies take them. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface PemMaker {
  make(host: string): Promise<{ readonly key: string; readonly cert: string }>;
}

/** One key for all: what is measured is how many there are. */
export async function createPemMaker(): Promise<PemMaker> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const key = `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
  return {
    async make(host) {
      const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: `CN=${host}`,
        notBefore: new Date(Date.now() - 86400_000),
        notAfter: new Date(Date.now() + 86400_000),
        keys: keys as never,
        signingAlgorithm: ECDSA as never,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }])],
      });
      return { key, cert: `${certificate.toString("pem")}\n` };
    },
  };
}
