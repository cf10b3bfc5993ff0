// SPDX-License-Identifier: Apache-2.0
/** Certificates and how long they last. A certificate's text begins with its key, so it is never looked at here. */
import { keyOf } from "../model/refs.ts";
import type { Certificate, Ir } from "../model/types.ts";
import type { CertificateView, Validity } from "./types.ts";

const DAY_MS = 86_400_000;
/** Whoever renews them by a program does so at a third of their life; with two weeks left something is wrong. */
const SOON_DAYS = 14;

export function describeCertificates({ hitch }: Pick<Ir, "hitch">, now: number): readonly CertificateView[] {
  const all = hitch.certificates.map((certificate) => describeCertificate(certificate, false, now));
  return [...all, describeCertificate(hitch.defaultCertificate, true, now)];
}

function describeCertificate(
  { id, hosts, notAfter, source, clients }: Certificate,
  isDefault: boolean,
  now: number,
): CertificateView {
  const left = (Date.parse(notAfter) - now) / DAY_MS;
  return {
    hosts,
    ...(source === undefined ? {} : { secret: keyOf(source) }),
    isDefault,
    notAfter,
    ...(Number.isNaN(left) ? {} : { daysLeft: Math.floor(left) }),
    validity: judge(left),
    ...(clients === undefined ? {} : { clients: clients.mode }),
    id,
  };
}

function judge(daysLeft: number): Validity {
  if (Number.isNaN(daysLeft)) return "unknown";
  if (daysLeft <= 0) return "expired";
  return daysLeft < SOON_DAYS ? "expires soon" : "ok";
}
