// SPDX-License-Identifier: Apache-2.0
/** A self-signed certificate for names that nobody has a certificate for: Hitch can't start without one. */
import { createHash } from "node:crypto";
import type { Certificate } from "../model/types.ts";
import { generateSelfSigned } from "./self-signed.ts";

const TEN_YEARS = 3650;

export async function generateFallbackCertificate(now: Date): Promise<Certificate> {
  const { key, cert, notAfter } = await generateSelfSigned("Evener fallback certificate", [], now, TEN_YEARS);
  const pem = `${key}${cert}`;
  const id = createHash("sha256").update(pem).digest("hex");
  return { id, pem, hosts: [], notAfter: notAfter.toISOString() };
}
