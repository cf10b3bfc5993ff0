// SPDX-License-Identifier: Apache-2.0
/**
 * Who asks for client certificates, and what comes of it. A host asks as a whole: the oldest Ingress of the namespace that has the
 * host decides. Hitch asks per certificate it serves, so hosts of one certificate can't ask for different CAs.
 */
import type { V1Ingress } from "@kubernetes/client-node";
import { readAnnotations } from "./annotations/read-annotations.ts";
import type { CertificateExtras } from "./certificates.ts";
import {
  type ClientCertificatePolicies,
  closedKey,
  findHostOwners,
  NO_POLICIES,
} from "./client-certificate-policies.ts";
import { type ClientCa, type ClientCertificateDemand, readClientCa } from "./client-certificates.ts";
import { ANY_HOST, isHost } from "./names.ts";
import type { Refusal } from "./policy-status.ts";
import type { Report } from "./problems.ts";
import { formatRef, keyOf, refOf } from "./refs.ts";
import type { Candidate } from "./tls.ts";
import type { Certificate, ObjectRef, RuleOptions, Store } from "./types.ts";

/** `closed`: the rules answer 403, because what was asked for can't be done. */
export type ClientCertificateFate = RuleOptions["clientCertificate"] | "closed";

export interface ClientDemands {
  /** By host. */
  readonly demands: ReadonlyMap<string, ClientCertificateDemand>;
  /** Hosts of an Ingress whose wish is not granted; ANY_HOST: all of them. */
  readonly closed: ReadonlyMap<V1Ingress, ReadonlySet<string>>;
  /** Hosts that are closed whoever serves them: whom they belong to asks, and can't be helped. */
  readonly closedHosts: ReadonlySet<string>;
}

const FIELD = "metadata.annotations[auth-tls-secret]";
const CLOSED = "until that is changed its rules answer 403";
const WISHES = /^(?:evener\.io|nginx\.ingress\.kubernetes\.io)\/auth-tls-/;

/** `policies` win over annotations. */
export function collectDemands(
  ingresses: readonly V1Ingress[],
  secrets: Store["secrets"],
  now: Date,
  report: Report,
  policies: Omit<ClientCertificatePolicies, "describe"> = NO_POLICIES,
): ClientDemands {
  const demands = new Map<string, ClientCertificateDemand>();
  for (const demand of policies.demands) demands.set(demand.host, demand);
  const closed = new Map<V1Ingress, Set<string>>();
  const close = (ingress: V1Ingress, host: string) => {
    const hosts = closed.get(ingress) ?? new Set();
    closed.set(ingress, hosts.add(host));
  };
  const unmet = new Map(policies.closedHosts);
  // Few clusters have anybody who asks.
  let owners: ReturnType<typeof findHostOwners> | undefined;
  const ownerOf = (host: string) => {
    owners ??= findHostOwners(ingresses);
    return owners.get(host);
  };
  if (policies.closed.size > 0 || policies.closedHostless.size > 0) {
    for (const ingress of ingresses) {
      const ref = refOf("Ingress", ingress);
      for (const host of listHosts(ingress)) {
        const isHostless = host === ANY_HOST && policies.closedHostless.has(keyOf(ref));
        if (isHostless || policies.closed.has(closedKey(ref.namespace ?? "", host))) close(ingress, host);
      }
    }
  }
  const decided = new Map(demands);
  for (const ingress of ingresses) {
    if (!Object.keys(ingress.metadata?.annotations ?? {}).some((name) => WISHES.test(name))) continue;
    const ref = refOf("Ingress", ingress);
    // What is wrong with them is told where the rules are read.
    const { clientCertificate: wish } = readAnnotations(ingress, ref, () => undefined);
    if (wish === undefined) continue;
    const ca = findCa(wish.secret, ref, secrets, now, report);
    for (const host of listHosts(ingress)) {
      const decision = decided.get(host);
      if (decision !== undefined) {
        const message = `${formatRef(decision.source)} has the say for host ${host}; the annotations have no effect there`;
        report(ref, "warning", "PolicyWins", message, FIELD);
        continue;
      }
      if (closed.get(ingress)?.has(host) === true) continue;
      const owner = ownerOf(host);
      if (ca === undefined || host === ANY_HOST || owner?.namespace !== ref.namespace) {
        close(ingress, host);
        if (ca !== undefined) tellImpossible(host, owner, ref, report);
        else if (host !== ANY_HOST && owner?.namespace === ref.namespace) unmet.set(host, ref);
        continue;
      }
      const { mode, certificate } = wish;
      const winner = demands.get(host);
      if (winner === undefined) demands.set(host, { host, ca, mode, forward: { certificate }, source: ref });
      else if (winner.ca.id !== ca.id || winner.mode !== mode || winner.forward.certificate !== certificate) {
        close(ingress, host);
        const message = `host ${host} asks for client certificates in another way by ${formatRef(winner.source)}; ${CLOSED}`;
        report(ref, "error", "ClientCertificateConflict", message, FIELD);
      }
    }
  }
  // Where a younger Ingress asks in a way that can be had, nobody gets in unasked.
  for (const host of demands.keys()) unmet.delete(host);
  if (unmet.size > 0) tellUnmet(ingresses, unmet, closed, report);
  return { demands, closed, closedHosts: new Set(unmet.keys()) };
}

/** To those who have not asked themselves. */
function tellUnmet(
  ingresses: readonly V1Ingress[],
  unmet: ReadonlyMap<string, ObjectRef>,
  closed: ClientDemands["closed"],
  report: Report,
): void {
  for (const ingress of ingresses) {
    for (const host of listHosts(ingress)) {
      const asker = unmet.get(host);
      if (asker === undefined || closed.get(ingress)?.has(host) === true) continue;
      const message = `${formatRef(asker)} asks for client certificates for host ${host}, which can't be had; ${CLOSED}`;
      report(refOf("Ingress", ingress), "error", "ClientCertificateNotPossible", message);
    }
  }
}

function listHosts(ingress: V1Ingress): readonly string[] {
  const hosts = (ingress.spec?.rules ?? []).map(({ host }) => host?.toLowerCase() || ANY_HOST);
  if (ingress.spec?.defaultBackend !== undefined) hosts.push(ANY_HOST);
  return [...new Set(hosts.filter((host) => host === ANY_HOST || isHost(host)))];
}

function tellImpossible(host: string, owner: ObjectRef | undefined, ref: ObjectRef, report: Report): void {
  const why =
    host === ANY_HOST
      ? "client certificates are asked for by server name, so what has no host can't ask"
      : `host ${host} belongs to ${owner === undefined ? "another namespace" : formatRef(owner)}, which alone can ask for client certificates`;
  report(ref, "error", "ClientCertificateNotPossible", `${why}; ${CLOSED}`, FIELD);
}

function findCa(
  name: string,
  ref: ObjectRef,
  secrets: Store["secrets"],
  now: Date,
  report: Report,
): ClientCa | undefined {
  const key = name.includes("/") ? name : `${ref.namespace}/${name}`;
  if (!key.startsWith(`${ref.namespace}/`)) {
    const message = `Secret ${key} is in another namespace, whose Secrets are not for this Ingress; ${CLOSED}`;
    report(ref, "error", "ClientCaNotUsable", message, FIELD);
    return undefined;
  }
  const secret = secrets.get(key);
  if (secret === undefined) {
    const message = `Secret ${key} does not exist, or is of a type that is not watched (see --secrets); ${CLOSED}`;
    report(ref, "error", "ClientCaNotFound", message, FIELD);
    return undefined;
  }
  const read = readSecret(secret.data ?? {}, now);
  const secretRef = refOf("Secret", secret);
  if (!read.ok) {
    report(secretRef, "error", "ClientCaNotUsable", `${read.field} ${read.why}`, `data[${read.field}]`);
    report(ref, "error", "ClientCaNotUsable", `Secret ${key} can't be used; ${CLOSED}`, FIELD);
    return undefined;
  }
  for (const warning of read.warnings) report(secretRef, "warning", "ClientCaWarning", warning, "data");
  return read.ca;
}

function readSecret(data: Readonly<Record<string, string>>, now: Date) {
  const decode = (text: string | undefined) =>
    text === undefined ? undefined : Buffer.from(text, "base64").toString("latin1");
  return readClientCa(decode(data["ca.crt"]) ?? "", decode(data["ca.crl"]), now);
}

export interface ClientPlan {
  /** Hosts whose demand can't be carried out. */
  readonly impossible: ReadonlyMap<string, Refusal>;
  readonly clientsOf: (host: string, ingress: V1Ingress) => ClientCertificateFate;
  readonly extrasOf: (candidate: Candidate) => CertificateExtras;
}

function fieldOf({ kind }: ObjectRef): string | undefined {
  return kind === "Ingress" ? FIELD : undefined;
}

/** Which certificates ask for whose certificates. `hosts` are those with TLS; `find` says what is served for one. */
export function planClients(
  { demands, closed, closedHosts }: ClientDemands,
  hosts: readonly string[],
  find: (host: string) => Candidate | undefined,
  report: Report,
): ClientPlan {
  const byCandidate = new Map<
    Candidate,
    { winner: ClientCertificateDemand; clients: Certificate["clients"] }
  >();
  const impossible = new Map<string, Refusal>();
  const secured = new Set(hosts);
  for (const demand of demands.values()) {
    const { host, source } = demand;
    const candidate = secured.has(host) ? find(host) : undefined;
    if (candidate === undefined) {
      const message = `host ${host} has no certificate of its own (spec.tls), with which clients could be asked for theirs; ${CLOSED}`;
      report(source, "error", "ClientCertificateNotPossible", message, fieldOf(source));
      impossible.set(host, { reason: "ClientCertificateNotPossible", message });
      continue;
    }
    const refuse = (reason: string, why: string) => {
      const message = `${formatRef(candidate.secret)} ${why}; give ${host} a certificate of its own; ${CLOSED}`;
      report(source, "error", reason, message, fieldOf(source));
      impossible.set(host, { reason, message });
    };
    // Else it would be up to one namespace how the clients of another shake hands.
    if (candidate.secret.namespace !== source.namespace) {
      refuse(
        "ClientCertificateNotPossible",
        "is of another namespace, and what is asked with it is up to that one",
      );
      continue;
    }
    const first = byCandidate.get(candidate);
    if (first === undefined) {
      byCandidate.set(candidate, { winner: demand, clients: { ca: demand.ca, mode: demand.mode } });
    } else if (first.winner.ca.id !== demand.ca.id) {
      const why = `is served for ${first.winner.host} too, which asks for certificates of another CA`;
      refuse("ClientCertificateConflict", why);
    } else if (first.winner.mode !== demand.mode) {
      byCandidate.set(candidate, { ...first, clients: { ca: demand.ca, mode: "optional" } });
    }
  }
  // Without a certificate nobody gets into a host that requires one, whatever the handshake lets pass.
  for (const host of byCandidate.size === 0 ? [] : secured) {
    const candidate = demands.has(host) ? undefined : find(host);
    const first = candidate === undefined ? undefined : byCandidate.get(candidate);
    if (candidate === undefined || first === undefined) continue;
    byCandidate.set(candidate, { ...first, clients: { ca: first.winner.ca, mode: "optional" } });
    const message =
      `${formatRef(candidate.secret)} is served for ${host} too, whose clients are asked for a certificate now, which they need not have; ` +
      `give ${first.winner.host} a certificate of its own`;
    report(first.winner.source, "warning", "ClientCertificateShared", message, fieldOf(first.winner.source));
  }
  return {
    impossible,
    clientsOf: (host, ingress) => {
      const mine = closed.get(ingress);
      if (impossible.has(host) || closedHosts.has(host) || mine?.has(host) === true) return "closed";
      const demand = demands.get(host);
      return demand === undefined
        ? undefined
        : { mode: demand.mode, certificate: demand.forward.certificate };
    },
    extrasOf: (candidate) => {
      const clients = byCandidate.get(candidate)?.clients;
      if (clients === undefined) return { note: "" };
      return { note: `# client certificates ${clients.mode} ${clients.ca.id}\n`, clients };
    },
  };
}
