// SPDX-License-Identifier: Apache-2.0
/** The certificates Hitch loads, in an order and under names that make it serve what the model says. */
import { type ParsedCertificate, sha256 } from "./certificate.ts";
import { wildcardOf } from "./names.ts";
import { compareText } from "./refs.ts";
import type { Candidate, TlsClaim } from "./tls.ts";
import type { Certificate, ServedHost } from "./types.ts";

/**
 * For a name in two certificates Hitch serves the one loaded last. At its start that is the one listed last; in a
 * reload, files that stay count as loaded before those that come, whatever their order in the list. So a certificate
 * gets a note of the certificates it must come after: when one of those changes, the note, and with it the file
 * name, changes too, and the certificate is loaded anew, after it. The oldest Ingress's certificate comes last.
 */
export function arrangeCertificates(
  oldestFirst: readonly Candidate[],
  defaultCertificate: Certificate,
  extrasOf: (candidate: Candidate) => CertificateExtras = () => NO_EXTRAS,
): readonly Certificate[] {
  const useful = dropDuplicates(oldestFirst);
  const served = assignNames(useful);
  /** The last certificate loaded so far for each name in Hitch's table. */
  const loaded = new Map<string, string>();
  for (const name of defaultCertificate.hosts) loaded.set(name, defaultCertificate.id);
  return useful.toReversed().map((candidate) => {
    const { names } = candidate.parsed;
    // What was loaded before those is part of their own notes.
    const before = listLoaded(names, loaded);
    const after = before.length === 0 ? "" : `# loaded after ${sha256(before.join("\n"))}\n`;
    const { note, clients } = extrasOf(candidate);
    const certificate = {
      ...toCertificate(candidate, `${after}${note}`),
      hosts: served.get(candidate) ?? [],
      ...(clients === undefined ? {} : { clients }),
    };
    for (const name of names) loaded.set(name, certificate.id);
    return certificate;
  });
}

function listLoaded(names: readonly string[], loaded: ReadonlyMap<string, string>): readonly string[] {
  const found = names.flatMap((name) => loaded.get(name) ?? []);
  return found.length < 2 ? found : [...new Set(found)].sort(compareText);
}

/** Beside the certificate itself. Hitch looks at a file anew only when it has another name, so all that counts is in the note. */
export interface CertificateExtras {
  readonly note: string;
  readonly clients?: Certificate["clients"];
}

const NO_EXTRAS: CertificateExtras = Object.freeze({ note: "" });

/** Which of them a handshake for a host shows; undefined for the default certificate. */
export function findCandidate(oldestFirst: readonly Candidate[]): (host: string) => Candidate | undefined {
  let index: ReadonlyMap<string, Candidate> | undefined;
  return (host) => {
    index ??= indexByName(oldestFirst);
    return index.get(host) ?? index.get(wildcardOf(host) ?? "");
  };
}

function indexByName(oldestFirst: readonly Candidate[]): ReadonlyMap<string, Candidate> {
  const byName = new Map<string, Candidate>();
  for (const [candidate, names] of assignNames(dropDuplicates(oldestFirst))) {
    for (const name of names) byName.set(name, candidate);
  }
  return byName;
}

/** The same certificate in two Secrets is loaded once; one without any name would never be served. */
function dropDuplicates(candidates: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ parsed }) => {
    if (parsed.names.length === 0 || seen.has(parsed.pem)) return false;
    seen.add(parsed.pem);
    return true;
  });
}

/** Each name goes to the first that has it. */
function assignNames(oldestFirst: readonly Candidate[]): ReadonlyMap<Candidate, readonly string[]> {
  const taken = new Set<string>();
  return new Map(
    oldestFirst.map((candidate) => {
      const mine = candidate.parsed.names.filter((name) => !taken.has(name));
      for (const name of mine) taken.add(name);
      return [candidate, mine];
    }),
  );
}

/** What is the same in every rebuild. */
interface Plain {
  readonly id: string;
  readonly notAfter: string;
}

const plain = new WeakMap<ParsedCertificate, Plain>();

function describePlain(parsed: ParsedCertificate): Plain {
  let found = plain.get(parsed);
  if (found === undefined) {
    found = { id: sha256(parsed.pem), notAfter: parsed.notAfter.toISOString() };
    plain.set(parsed, found);
  }
  return found;
}

export function toCertificate({ parsed, secret }: Candidate, note = ""): Certificate {
  const { id, notAfter } = describePlain(parsed);
  const { names: hosts } = parsed;
  if (note === "") return { id, pem: parsed.pem, hosts, notAfter, source: secret };
  const pem = `${parsed.pem}${note}`;
  return { id: sha256(pem), pem, hosts, notAfter, source: secret };
}

export interface Served {
  /** What a handshake shows for each host with TLS, sorted by host. */
  readonly hosts: readonly ServedHost[];
  /** The host asks for TLS, and a certificate with its name is served. */
  readonly isSecured: (host: string) => boolean;
}

/** Hitch's lookup: the whole name, then the wildcard of its first label, then the default certificate. */
export function findServed(
  claims: readonly TlsClaim[],
  certificates: readonly Certificate[],
  defaultCertificate: Certificate,
): Served {
  const table = new Map<string, string>();
  for (const certificate of [defaultCertificate, ...certificates]) {
    for (const name of certificate.hosts) table.set(name, certificate.id);
  }
  const lookUp = (host: string) => table.get(host) ?? table.get(wildcardOf(host) ?? "");
  const claimed = new Set(claims.map((claim) => claim.host));
  return {
    hosts: [...claimed].sort().map((host) => ({ host, certificate: lookUp(host) ?? defaultCertificate.id })),
    isSecured: (host) =>
      (claimed.has(host) || claimed.has(wildcardOf(host) ?? "")) && lookUp(host) !== undefined,
  };
}
