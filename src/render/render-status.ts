// SPDX-License-Identifier: Apache-2.0
import { stringify } from "yaml";
import { HITCH_POOL } from "../model/listeners.ts";
import { ANY_HOST } from "../model/names.ts";
import type { PolicyStatus } from "../model/policy-status.ts";
import { compareText, formatRef, keyOf } from "../model/refs.ts";
import type { Certificate, Ir, Lane, ModelOutput, Problem } from "../model/types.ts";

/** What became of the objects, for people: problems, addresses and hosts, certificates. No keys. */
export function renderStatus({ ir, statuses, policies, problems }: ModelOutput): string {
  const status = {
    problems: problems.map(describeProblem),
    ingresses: statuses.map(({ ref, loadBalancer, hosts }) => ({
      name: keyOf(ref),
      hosts,
      ...(loadBalancer.length === 0 ? {} : { loadBalancer }),
    })),
    ...(policies.length === 0 ? {} : { policies: policies.map(describePolicy) }),
    hosts: describeLanes(ir),
    ...describePorts(ir),
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

function describePolicy({ ref, conditions }: PolicyStatus) {
  const described = conditions.map(({ type, status, reason, message }) => [
    type,
    { status, reason, message },
  ]);
  return { object: formatRef(ref), conditions: Object.fromEntries(described) };
}

/** For each host the lane its TLS connections are in; `*` is what no host name claims. */
function describeLanes({ balance, hitch }: Ir): readonly { readonly host: string; readonly lane: Lane }[] {
  const lanes = new Map<string, Lane>();
  for (const { rules, fallback } of balance.tables) {
    for (const { host } of rules) lanes.set(host, "http");
    if (fallback !== undefined) lanes.set(ANY_HOST, "http");
  }
  for (const { host, port, pool } of balance.routes) {
    if (pool !== HITCH_POOL && port === undefined && host !== ANY_HOST) lanes.set(host, "tcp");
  }
  for (const host of hitch.relayed) lanes.set(host, "passthrough");
  return [...lanes].sort(([a], [b]) => compareText(a, b)).map(([host, lane]) => ({ host, lane }));
}

/** Where the connections of TCP ports go, and by which program. Absent when there are none. */
function describePorts({ balance }: Ir) {
  const pools = new Map(balance.routes.map(({ listener, pool }) => [listener, pool]));
  const ours = balance.listeners
    .filter(({ table, sni }) => table === undefined && sni !== true)
    .map(({ name, address }) => ({
      port: Number(address.slice(address.lastIndexOf(":") + 1)),
      pool: pools.get(name) ?? "",
      engine: "evener",
    }));
  const theirs = (balance.upstream ?? []).map(({ port, pool }) => ({ port, pool, engine: "upstream" }));
  const ports = [...ours, ...theirs].sort((a, b) => a.port - b.port);
  return ports.length === 0 ? {} : { ports };
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
