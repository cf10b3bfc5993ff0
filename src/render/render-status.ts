// SPDX-License-Identifier: Apache-2.0
import { stringify } from "yaml";
import { formatRef, keyOf } from "../model/refs.ts";
import type { Certificate, Ir, ModelOutput, Problem } from "../model/types.ts";

/** What became of the objects, for people: problems, addresses and hosts, certificates. No keys. */
export function renderStatus({ ir, statuses, problems }: ModelOutput): string {
  const status = {
    problems: problems.map(describeProblem),
    ingresses: statuses.map(({ ref, loadBalancer, hosts }) => ({
      name: keyOf(ref),
      hosts,
      ...(loadBalancer.length === 0 ? {} : { loadBalancer }),
    })),
    tls: describeServed(ir),
    certificates: ir.hitch.certificates.map((certificate) => ({
      secret: describeSource(certificate),
      hosts: certificate.hosts,
      notAfter: certificate.notAfter,
    })),
  };
  return stringify(status, { lineWidth: 0, aliasDuplicateObjects: false });
}

function describeProblem({ ref, severity, reason, field, message }: Problem) {
  return { object: formatRef(ref), severity, reason, ...(field === undefined ? {} : { field }), message };
}

/** For each host with TLS the Secret whose certificate a client gets. */
function describeServed({ hitch }: Ir) {
  const byId = new Map(
    [hitch.defaultCertificate, ...hitch.certificates].map((certificate) => [certificate.id, certificate]),
  );
  return (hitch.served ?? []).map(({ host, certificate }) => {
    const found = byId.get(certificate);
    return { host, secret: found === undefined ? certificate : describeSource(found) };
  });
}

function describeSource({ source }: Certificate): string {
  return source === undefined ? "(default certificate)" : keyOf(source);
}
