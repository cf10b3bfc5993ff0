// SPDX-License-Identifier: Apache-2.0
/** spec.tls of all Ingresses → who claims which host, and the certificates asked for. */
import type { V1Ingress, V1Secret } from "@kubernetes/client-node";
import type { ParsedCertificate } from "./certificate.ts";
import { NO_TLS } from "./host-ownership.ts";
import { isDnsSubdomain, isHost, wildcardOf } from "./names.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { formatRef, keyOf, refOf } from "./refs.ts";
import { readTlsSecret } from "./secrets.ts";
import type { ObjectRef, Store } from "./types.ts";

/** A host that an Ingress wants TLS for. */
export interface TlsClaim {
  readonly host: string;
  readonly ingress: ObjectRef;
}

/** A usable certificate with the oldest Ingress that names it. */
export interface Candidate {
  readonly secret: ObjectRef;
  readonly ingress: ObjectRef;
  readonly field: string;
  readonly parsed: ParsedCertificate;
}

export interface TlsRequests {
  /** Oldest Ingress first. */
  readonly claims: readonly TlsClaim[];
  /** Each Secret once, oldest Ingress first. */
  readonly candidates: readonly Candidate[];
}

export function collectTls(
  ingresses: readonly V1Ingress[],
  store: Store,
  now: Date,
  report: Report,
): TlsRequests {
  const claims: TlsClaim[] = [];
  const candidates = new Map<string, Candidate | undefined>();
  for (const ingress of ingresses) {
    const ref = refOf("Ingress", ingress);
    for (const [i, tls] of (ingress.spec?.tls ?? []).entries()) {
      if (tls === NO_TLS) continue;
      // An entry without hosts is for all hosts of the rules.
      const hosts =
        (tls.hosts ?? []).length > 0
          ? readHosts(tls.hosts ?? [], ref, `spec.tls[${i}].hosts`, report)
          : listRuleHosts(ingress);
      claims.push(...hosts.map((host) => ({ host, ingress: ref })));
      if (tls.secretName === undefined || tls.secretName === "") continue;
      const field = `spec.tls[${i}].secretName`;
      if (!isDnsSubdomain(tls.secretName)) {
        const message = `${quote(tls.secretName)} is no Secret name; it is left out`;
        report(ref, "error", "InvalidSecretName", message, field);
        continue;
      }
      const key = keyOf({ namespace: ref.namespace ?? "", name: tls.secretName });
      const secret = store.secrets.get(key);
      if (secret === undefined) {
        const message = `Secret ${key} does not exist (yet); its hosts do without it`;
        report(ref, "warning", "SecretNotFound", message, field);
        continue;
      }
      let candidate = candidates.get(key);
      if (candidate === undefined && !candidates.has(key)) {
        candidate = readCandidate(secret, ref, field, now, report);
        candidates.set(key, candidate);
      }
      if (candidate !== undefined) warnUncovered(hosts, candidate, ref, `spec.tls[${i}].hosts`, report);
      else reportUnusable(key, ref, field, report);
    }
  }
  return { claims, candidates: [...candidates.values()].filter((candidate) => candidate !== undefined) };
}

/** Reads a Secret for use as a certificate; its problems are reported on the Secret itself. */
export function readCandidate(
  secret: V1Secret,
  ingress: ObjectRef,
  field: string,
  now: Date,
  report: Report,
): Candidate | undefined {
  const ref = refOf("Secret", secret);
  const result = readTlsSecret(secret);
  if (!result.ok) {
    report(ref, "error", result.reason, `${result.message}; it is not served`, result.field);
    return undefined;
  }
  for (const warning of result.warnings) {
    report(ref, "warning", warning.reason, warning.message, warning.field);
  }
  if (result.notAfter < now) {
    const message = `the certificate expired at ${result.notAfter.toISOString()}; it is served all the same`;
    report(ref, "warning", "CertificateExpired", message, "data[tls.crt]");
  } else if (result.notBefore > now) {
    const message = `the certificate is valid from ${result.notBefore.toISOString()} on; it is served all the same`;
    report(ref, "warning", "CertificateNotYetValid", message, "data[tls.crt]");
  }
  return { secret: ref, ingress, field, parsed: result };
}

function listRuleHosts(ingress: V1Ingress): readonly string[] {
  const hosts = (ingress.spec?.rules ?? []).map((rule) => rule.host?.toLowerCase() ?? "");
  return [...new Set(hosts.filter(isHost))];
}

function readHosts(
  hosts: readonly string[],
  ref: ObjectRef,
  field: string,
  report: Report,
): readonly string[] {
  return hosts.flatMap((text, i) => {
    const host = text.toLowerCase();
    if (isHost(host)) return [host];
    report(ref, "error", "HostNotAllowed", `${quote(text)} is no DNS name; it is left out`, `${field}[${i}]`);
    return [];
  });
}

/** Hitch matches lower case server names with the certificate's names as they are written. */
function warnUncovered(
  hosts: readonly string[],
  { parsed, secret }: Candidate,
  ref: ObjectRef,
  field: string,
  report: Report,
): void {
  const names = new Set(parsed.names);
  for (const host of hosts) {
    if (names.has(host) || names.has(wildcardOf(host) ?? "")) continue;
    const message = `the certificate of ${formatRef(secret)} is not for ${host}; clients of ${host} don't get it`;
    report(ref, "warning", "HostNotCovered", message, field);
  }
}

function reportUnusable(key: string, ref: ObjectRef, field: string, report: Report): void {
  const message = `Secret ${key} can't be used; its hosts do without it`;
  report(ref, "warning", "SecretNotUsable", message, field);
}
