// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { Desired, ServedCertificate } from "../apply/plan.ts";
import type { Certificate, Ir } from "../model/types.ts";
import type { UpstreamCommand } from "../render/render-upstream.ts";

export interface Rendered {
  readonly hitchConf: string;
  readonly balanceConf: string;
  readonly upstream?: readonly UpstreamCommand[];
}

/** Rendered text and model → what applying wants to know. */
export function describeDesired({ hitch }: Ir, rendered: Rendered): Desired {
  let parts = known.get(hitch);
  if (parts === undefined) {
    parts = describeCertificates(hitch);
    known.set(hitch, parts);
  }
  return { ...rendered, balanceHash: readHash(rendered.balanceConf), ...parts };
}

/** After a change of endpoints it is the same object. */
const known = new WeakMap<Ir["hitch"], Pick<Desired, "certificates" | "served">>();

function describeCertificates({ certDir, certificates, defaultCertificate }: Ir["hitch"]) {
  const pathOf = (certificate: Certificate) => join(certDir, `${certificate.id}.pem`);
  const files = new Map<string, string>();
  for (const certificate of [...certificates, defaultCertificate])
    files.set(pathOf(certificate), certificate.pem);
  for (const { clients } of certificates) {
    if (clients !== undefined) files.set(join(certDir, `${clients.ca.id}.pem`), clients.ca.pem);
  }
  const served: ServedCertificate[] = certificates.flatMap((certificate) => {
    const host = certificate.hosts[0];
    return host === undefined ? [] : [{ path: pathOf(certificate), host, pem: certificate.pem }];
  });
  served.push({ path: pathOf(defaultCertificate), host: undefined, pem: defaultCertificate.pem });
  return { certificates: files, served };
}

function readHash(balanceConf: string): string {
  const hash = /^hash[ \t]+(\S+)/m.exec(balanceConf)?.[1];
  if (hash === undefined) throw new Error("balance.conf has no hash line");
  return hash;
}
