// SPDX-License-Identifier: Apache-2.0
import type { Ir } from "../model/types.ts";
import {
  safeAlpn,
  safeCertificateId,
  safeCiphers,
  safeCiphersuites,
  safeClientMode,
  safeCurves,
  safeFrontendHost,
  safeInteger,
  safePath,
  safePort,
  safeProtocols,
} from "./safe.ts";
import { loadTemplate } from "./templates.ts";

/** Every value is a string that a check of safe.ts has let through. */
interface HitchView {
  readonly frontends: readonly { readonly host: string; readonly port: string }[];
  readonly front: boolean;
  readonly protocols: string;
  /** Empty: not said. */
  readonly ciphers: string;
  readonly ciphersuites: string;
  readonly curves: string;
  readonly preferServerCiphers: boolean;
  readonly strictSni: boolean;
  /** Empty: none. */
  readonly ocspDir: string;
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
  const { tls } = hitch;
  const ocspDir = safePath(hitch.ocspDir);
  const certDir = safePath(hitch.certDir);
  const pathOf = ({ id }: { readonly id: string }): string => `${certDir}/${safeCertificateId(id)}.pem`;
  return template({
    frontends: hitch.frontends.map(({ host, port }) => ({
      host: safeFrontendHost(host),
      port: safePort(port),
    })),
    front: hitch.front,
    protocols: safeProtocols(tls.protocols),
    ciphers: safeCiphers(tls.ciphers),
    ciphersuites: safeCiphersuites(tls.ciphersuites),
    curves: safeCurves(tls.curves),
    preferServerCiphers: tls.preferServerCiphers,
    strictSni: tls.strictSni,
    ocspDir: tls.ocspStapling ? ocspDir : "",
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
