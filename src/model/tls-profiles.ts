// SPDX-License-Identifier: Apache-2.0
/** The TLSProfile of our class: which one it is, and what it comes to. */
import type { V1IngressClass } from "@kubernetes/client-node";
import { API_VERSION, type TlsProfile } from "../crd/resource.ts";
import type { TlsProfileSpec } from "../crd/tls-profile.ts";
import { isOurClass } from "./ingress-classes.ts";
import { describeVerdict, type PolicyStatus, type Verdict } from "./policy-status.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { refOf, sortByAge } from "./refs.ts";
import { checkTlsSettings, DEFAULT_TLS_SETTINGS, type TlsSettings } from "./tls-settings.ts";
import type { ModelSettings, ObjectRef, Store } from "./types.ts";

const [GROUP] = API_VERSION.split("/");

export interface TlsProfileResult {
  readonly settings: TlsSettings;
  readonly statuses: readonly PolicyStatus[];
}

/** There is one Hitch, so of several classes with a profile the oldest one has the say. */
export function readTlsProfiles(store: Store, settings: ModelSettings, report: Report): TlsProfileResult {
  const chosen = chooseProfile(store, settings, report);
  let read: TlsSettings = DEFAULT_TLS_SETTINGS;
  const statuses: PolicyStatus[] = [];
  for (const profile of store.tlsProfiles.values()) {
    const ref = refOf("TLSProfile", profile);
    if (profile !== chosen?.profile) {
      statuses.push(describeVerdict(ref, profile, describeUnused(profile, chosen)));
      continue;
    }
    const { settings: ours, faults } = checkTlsSettings(toRaw(profile.spec), listTakenPorts(settings));
    read = ours;
    for (const { field, message } of faults) {
      report(ref, "error", "InvalidField", `spec.${field}: ${message}; it has no effect`, `spec.${field}`);
    }
    const [first] = faults;
    const refusal =
      first === undefined
        ? {}
        : { refusal: { reason: "InvalidField", message: `spec.${first.field}: ${first.message}` } };
    statuses.push(
      describeVerdict(ref, profile, { ...refusal, lostTo: [], effect: first === undefined ? "all" : "some" }),
    );
  }
  return { settings: read, statuses };
}

function listTakenPorts(settings: ModelSettings): readonly number[] {
  const { httpPort, httpsPort, internalTlsPort, tls, reservedPorts = [] } = settings;
  const internal = internalTlsPort === undefined ? [] : [internalTlsPort];
  const services = (tls?.tcpServices ?? []).map(({ port }) => port);
  return [httpPort, httpsPort, ...internal, ...reservedPorts, ...(tls?.extraTlsPorts ?? []), ...services];
}

/** Where the profile says nothing the flags do. */
export function applyTlsSettings(settings: ModelSettings, tls: TlsSettings): ModelSettings {
  if (tls === DEFAULT_TLS_SETTINGS) return settings;
  const { alpn, hsts, workers, trustedProxies, defaultCertificate } = tls;
  return Object.freeze({
    ...settings,
    tls: mergeTls(settings.tls ?? DEFAULT_TLS_SETTINGS, tls),
    ...(alpn === undefined ? {} : { alpn }),
    ...(hsts === undefined ? {} : { hsts }),
    ...(workers === undefined ? {} : { workers }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    ...(defaultCertificate === undefined ? {} : { defaultSslCertificate: defaultCertificate }),
  });
}

/** What the profile leaves as it is by default is what the flags say; listeners add up. */
function mergeTls(flags: TlsSettings, profile: TlsSettings): TlsSettings {
  const usual = DEFAULT_TLS_SETTINGS;
  const choose = <K extends "protocols" | "ciphers" | "ciphersuites" | "curves">(key: K) =>
    profile[key].join() === usual[key].join() ? flags[key] : profile[key];
  return Object.freeze({
    ...profile,
    protocols: choose("protocols"),
    ciphers: choose("ciphers"),
    ciphersuites: choose("ciphersuites"),
    curves: choose("curves"),
    preferServerCiphers: profile.preferServerCiphers || flags.preferServerCiphers,
    ocspStapling: profile.ocspStapling || flags.ocspStapling,
    strictSni: profile.strictSni || flags.strictSni,
    extraTlsPorts: [...flags.extraTlsPorts, ...profile.extraTlsPorts],
    tcpServices: [...flags.tcpServices, ...profile.tcpServices],
  });
}

/** The profile that has the say, whatever is in it. */
export function findTlsProfile(store: Store, settings: ModelSettings): TlsProfile | undefined {
  return chooseProfile(store, settings, () => undefined)?.profile;
}

interface Choice {
  readonly profile: TlsProfile;
  readonly ingressClass: ObjectRef;
  /** Profiles that other classes of ours name. */
  readonly losers: ReadonlySet<string>;
}

function chooseProfile(store: Store, settings: ModelSettings, report: Report): Choice | undefined {
  let chosen: { profile: TlsProfile; ingressClass: ObjectRef } | undefined;
  const losers = new Set<string>();
  for (const ingressClass of sortByAge([...store.ingressClasses.values()])) {
    if (!isOurClass(ingressClass, settings)) continue;
    const ref = refOf("IngressClass", ingressClass);
    const name = readName(ingressClass, ref, report);
    if (name === undefined) continue;
    const profile = store.tlsProfiles.get(name);
    if (profile === undefined) {
      const message = `TLSProfile ${quote(name)} does not exist (yet), or is not well-formed; the class does without`;
      report(ref, "warning", "TLSProfileNotFound", message, "spec.parameters.name");
    } else if (chosen === undefined) {
      chosen = { profile, ingressClass: ref };
    } else if (chosen.profile !== profile) {
      losers.add(name);
      const message = `IngressClass ${chosen.ingressClass.name} is older, and its TLSProfile holds for all classes of ours`;
      report(ref, "warning", "TLSProfileConflict", message, "spec.parameters");
    }
  }
  return chosen === undefined ? undefined : { ...chosen, losers };
}

/** The parameters of a class have no checked shape. */
function readName({ spec }: V1IngressClass, ref: ObjectRef, report: Report): string | undefined {
  const { apiGroup, kind, name } = (spec?.parameters ?? {}) as unknown as Record<string, unknown>;
  if (spec?.parameters === undefined || spec.parameters === null) return undefined;
  if (apiGroup === GROUP && kind === "TLSProfile" && typeof name === "string") return name;
  const message = `parameters have to be a TLSProfile of ${GROUP}, not ${quote(kind ?? "")} of ${quote(apiGroup ?? "")}; they have no effect`;
  report(ref, "warning", "ParametersNotSupported", message, "spec.parameters");
  return undefined;
}

function describeUnused({ metadata }: TlsProfile, chosen: Choice | undefined): Verdict {
  if (chosen?.losers.has(metadata?.name ?? "")) {
    return { lostTo: [chosen.ingressClass], effect: "none" };
  }
  const message = "no IngressClass of ours names it in spec.parameters";
  return { lostTo: [], effect: "none", why: { reason: "NotReferenced", message } };
}

function toRaw(spec: TlsProfileSpec): Parameters<typeof checkTlsSettings>[0] {
  const { hsts, defaultCertificate, ...rest } = spec;
  return {
    ...rest,
    ...(hsts === undefined ? {} : { hsts: formatHsts(hsts) }),
    ...(defaultCertificate === undefined
      ? {}
      : { defaultCertificate: `${defaultCertificate.namespace}/${defaultCertificate.name}` }),
  };
}

function formatHsts({
  maxAgeSeconds,
  includeSubdomains,
  preload,
}: NonNullable<TlsProfileSpec["hsts"]>): string {
  const words = [`max-age=${maxAgeSeconds}`];
  if (includeSubdomains === true) words.push("includeSubDomains");
  if (preload === true) words.push("preload");
  return words.join(";");
}
