// SPDX-License-Identifier: Apache-2.0
import type { Ir } from "../model/types.ts";
import { safeAlpn, safeCertificateId, safeClientMode, safeInteger, safePath, safePort } from "./safe.ts";
import { loadTemplate } from "./templates.ts";

/** Every value is a string that a check of safe.ts has let through. */
interface HitchView {
  readonly httpsPort: string;
  readonly backendSocket: string;
  readonly alpn: string;
  readonly workers: string;
  readonly certificates: readonly CertificateView[];
  readonly clientCertificates: boolean;
  readonly defaultCertificate: string;
}

interface CertificateView {
  readonly path: string;
  /** Whose clients are asked for a certificate. */
  readonly clients?: { readonly mode: string; readonly caPath: string };
}

const template = loadTemplate<HitchView>("hitch.conf.hbs");

/** IR → hitch.conf. No byte of it comes from a user: ports, numbers, our own paths and hashes. */
export function renderHitch({ hitch }: Ir): string {
  let text = known.get(hitch);
  if (text === undefined) {
    text = render(hitch);
    known.set(hitch, text);
  }
  return text;
}

/** After a change of endpoints it is the same object. */
const known = new WeakMap<Ir["hitch"], string>();

function render(hitch: Ir["hitch"]): string {
  const certDir = safePath(hitch.certDir);
  const pathOf = ({ id }: { readonly id: string }): string => `${certDir}/${safeCertificateId(id)}.pem`;
  return template({
    httpsPort: safePort(hitch.httpsPort),
    backendSocket: safePath(hitch.backendSocket),
    alpn: safeAlpn(hitch.alpn),
    workers: safeInteger(hitch.workers, 1, 64),
    certificates: hitch.certificates.map((certificate) => {
      const { clients } = certificate;
      const path = pathOf(certificate);
      if (clients === undefined) return { path };
      return { path, clients: { mode: safeClientMode(clients.mode), caPath: pathOf(clients.ca) } };
    }),
    clientCertificates: hitch.certificates.some(({ clients }) => clients !== undefined),
    defaultCertificate: pathOf(hitch.defaultCertificate),
  });
}
