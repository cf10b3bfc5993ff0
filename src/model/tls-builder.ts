// SPDX-License-Identifier: Apache-2.0
/** Certificates, and which host shows which. Of the inputs to a rebuild, time is the one that changes by itself. */
import type { V1Ingress } from "@kubernetes/client-node";
import { sha256 } from "./certificate.ts";
import {
  arrangeCertificates,
  findCandidate,
  findServed,
  type Served,
  toCertificate,
} from "./certificates.ts";
import { readClientCertificatePolicies } from "./client-certificate-policies.ts";
import type { ClientCertificateDemand } from "./client-certificates.ts";
import { type ClientPlan, collectDemands, planClients } from "./client-demands.ts";
import { selectOwned } from "./ownership.ts";
import type { PolicyStatus, Refusal } from "./policy-status.ts";
import type { Report } from "./problems.ts";
import { formatRef } from "./refs.ts";
import { Stage } from "./stage.ts";
import { type Candidate, collectTls, readCandidate } from "./tls.ts";
import { DEFAULT_TLS_SETTINGS, type TlsSettings } from "./tls-settings.ts";
import type { Certificate, ModelInput, ObjectRef } from "./types.ts";

export interface Tls {
  /** In the order of hitch.conf. */
  readonly certificates: readonly Certificate[];
  readonly defaultCertificate: Certificate;
  readonly served: Served;
  /** Hosts that ask for TLS, in no order. */
  readonly hosts: readonly string[];
  /** Whether a host asks for client certificates. */
  readonly clientsOf: ClientPlan["clientsOf"];
  /** What becomes of the ClientCertificatePolicies; `more` are hosts whose demand can't be carried out for a reason that is not seen here. */
  readonly describePolicies: (more: ReadonlyMap<string, Refusal>) => readonly PolicyStatus[];
  readonly demands: readonly ClientCertificateDemand[];
}

interface Built {
  readonly tls: Tls;
  /** Between these times the passing of time changes nothing: no certificate becomes valid or expires. */
  readonly from: number;
  readonly until: number;
}

export class TlsBuilder {
  readonly #stage = new Stage<Built>();

  build(ingresses: readonly V1Ingress[], input: ModelInput, report: Report): Tls {
    const { store, settings, fallbackCertificate, now } = input;
    const time = now.getTime();
    const { secrets, configMaps, clientCertificatePolicies } = store;
    const inputs = [ingresses, secrets, configMaps, clientCertificatePolicies, settings, fallbackCertificate];
    const compute = (found: Report) => buildTls(ingresses, input, found);
    return this.#stage.run(inputs, report, compute, ({ from, until }) => from <= time && time < until).tls;
  }
}

function buildTls(ingresses: readonly V1Ingress[], input: ModelInput, report: Report): Built {
  const { store, now, fallbackCertificate } = input;
  const requests = collectTls(ingresses, store, now, report);
  const defaultCandidate = findDefaultCandidate(input, report);
  const note = describeTlsSettings(input.settings.tls);
  const defaultCertificate =
    defaultCandidate === undefined
      ? addNote(fallbackCertificate, note)
      : toCertificate(defaultCandidate, note);
  const owned = selectOwned(ingresses, requests, report);
  warnShadowed(owned, report);
  const hosts = requests.claims.map((claim) => claim.host);
  const policies = readClientCertificatePolicies(ingresses, store, now, report);
  const demands = collectDemands(ingresses, store.secrets, now, report, policies);
  const clients = planClients(demands, hosts, findCandidate(owned), report);
  const certificates = arrangeCertificates(owned, defaultCertificate, (candidate) => {
    const extras = clients.extrasOf(candidate);
    return note === "" ? extras : { ...extras, note: `${note}${extras.note}` };
  });
  const looked =
    defaultCandidate === undefined ? requests.candidates : [...requests.candidates, defaultCandidate];
  return {
    tls: {
      certificates,
      defaultCertificate,
      served: findServed(requests.claims, certificates, defaultCertificate),
      hosts,
      clientsOf: clients.clientsOf,
      describePolicies: (more) => policies.describe(new Map([...clients.impossible, ...more])),
      demands: [...demands.demands.values()],
    },
    from: now.getTime(),
    until: findNextTurn(looked, now.getTime()),
  };
}

/** Hitch has one certificate per name: of two, as of an RSA and an ECDSA one for the same host, the oldest Ingress's is served. */
function warnShadowed(oldestFirst: readonly Candidate[], report: Report): void {
  const taken = new Map<string, Candidate>();
  for (const candidate of oldestFirst) {
    const { names, pem } = candidate.parsed;
    const winners = names.flatMap((name) => taken.get(name) ?? []);
    const [first] = winners;
    for (const name of names) if (!taken.has(name)) taken.set(name, candidate);
    if (first === undefined || winners.length < names.length || first.parsed.pem === pem) continue;
    const message =
      `the certificate is not served: ${formatRef(first.secret)} of an older Ingress is for the same names, ` +
      "and Hitch serves one certificate per name, whatever the types of their keys";
    report(candidate.secret, "warning", "CertificateShadowed", message, "data[tls.crt]");
  }
}

/**
 * Hitch makes an OpenSSL context per certificate and keeps it while the file's name stays; so what goes into the context goes into the name.
 */
function describeTlsSettings(tls: TlsSettings | undefined): string {
  const { protocols, ciphers, ciphersuites, curves, preferServerCiphers, ocspStapling } =
    tls ?? DEFAULT_TLS_SETTINGS;
  const text = JSON.stringify([protocols, ciphers, ciphersuites, curves, preferServerCiphers, ocspStapling]);
  return text === USUAL ? "" : `# settings ${sha256(text)}\n`;
}

const USUAL = JSON.stringify([DEFAULT_TLS_SETTINGS.protocols, [], [], [], false, false]);

function addNote(certificate: Certificate, note: string): Certificate {
  // Without a generated certificate (evener render) there is nothing that a note could be added to.
  if (note === "" || !/^[0-9a-f]{64}$/.test(certificate.id)) return certificate;
  const pem = `${certificate.pem}${note}`;
  return { ...certificate, pem, id: sha256(pem) };
}

function findNextTurn(candidates: readonly Candidate[], now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { parsed } of candidates) {
    for (const time of [parsed.notBefore.getTime(), parsed.notAfter.getTime()]) {
      if (time >= now && time < next) next = time;
    }
  }
  return next;
}

function findDefaultCandidate(input: ModelInput, report: Report): Candidate | undefined {
  const key = input.settings.defaultSslCertificate;
  if (key === undefined) return undefined;
  const [namespace = "", name = ""] = key.split("/");
  const ref: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace, name };
  const secret = input.store.secrets.get(key);
  if (secret === undefined) {
    const message = "is named by --default-ssl-certificate and does not exist; a generated one is served";
    report(ref, "warning", "SecretNotFound", message);
    return undefined;
  }
  return readCandidate(secret, ref, "", input.now, report);
}
