// SPDX-License-Identifier: Apache-2.0
/**
 * TLS for the class as a whole, and what of it this data plane can do. Hitch 1.8.0's lexer has no escape, so every word that may
 * reach hitch.conf is in one of these tables; they are what the linked OpenSSL accepts, less what is no longer safe to offer.
 */
import { canonicalRange } from "./cidr.ts";
import { isDnsLabel, isDnsSubdomain, isHost, isPortName, isPortNumber } from "./names.ts";
import { quote } from "./quote.ts";
import type { AlpnProtocol } from "./types.ts";

/** OpenSSL 3.5 offers nothing older at its security level; without TLS 1.3 a reload could not be verified unnoticed. */
export const TLS_PROTOCOLS = ["TLSv1.2", "TLSv1.3"] as const;
export type TlsProtocol = (typeof TLS_PROTOCOLS)[number];

/** TLS 1.2, with forward secrecy. */
export const TLS_CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-SHA256",
  "ECDHE-RSA-AES128-SHA256",
  "ECDHE-ECDSA-AES256-SHA384",
  "ECDHE-RSA-AES256-SHA384",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
] as const;
export type TlsCipher = (typeof TLS_CIPHERS)[number];

/** TLS 1.3. */
export const TLS_CIPHERSUITES = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
] as const;
export type TlsCiphersuite = (typeof TLS_CIPHERSUITES)[number];

/** Key exchange groups. */
export const TLS_CURVES = [
  "X25519MLKEM768",
  "SecP256r1MLKEM768",
  "SecP384r1MLKEM1024",
  "X25519",
  "X448",
  "P-256",
  "P-384",
  "P-521",
] as const;
export type TlsCurve = (typeof TLS_CURVES)[number];

/** Balance reads HTTP/1.1; anything else is for hosts in the TCP lane. Hitch has one list for all of them. */
export const TLS_ALPN_PROTOCOLS = ["h2", "http/1.1", "postgresql"] as const satisfies readonly AlpnProtocol[];

/** A port on which connections are relayed to one Service port. */
export interface TcpService {
  readonly port: number;
  readonly namespace: string;
  readonly service: string;
  /** Number or name of the Service port. */
  readonly servicePort: number | string;
  /** `terminate`: clients speak TLS on this port; what is in it is relayed. */
  readonly tls: "none" | "terminate";
  /** `terminate`: the only server name that is served; absent: every one. */
  readonly host?: string;
}

/** Absent fields are what the flags say. */
export interface TlsSettings {
  readonly protocols: readonly TlsProtocol[];
  /** TLS 1.2; empty: Hitch's list. */
  readonly ciphers: readonly TlsCipher[];
  /** TLS 1.3; empty: OpenSSL's list. */
  readonly ciphersuites: readonly TlsCiphersuite[];
  /** Empty: OpenSSL's list. */
  readonly curves: readonly TlsCurve[];
  readonly preferServerCiphers: boolean;
  readonly alpn?: readonly AlpnProtocol[];
  readonly ocspStapling: boolean;
  /** Value of Strict-Transport-Security. */
  readonly hsts?: string;
  /** `namespace/name` of a Secret. */
  readonly defaultCertificate?: string;
  /** A handshake for a name that no certificate has is refused; one without a name gets the default certificate. */
  readonly strictSni: boolean;
  readonly workers?: number;
  /** Peers that speak PROXY, on the TLS port too. */
  readonly trustedProxies?: readonly string[];
  /** Ports that do what the TLS port does. */
  readonly extraTlsPorts: readonly number[];
  readonly tcpServices: readonly TcpService[];
}

export const DEFAULT_TLS_SETTINGS: TlsSettings = Object.freeze({
  protocols: Object.freeze([...TLS_PROTOCOLS]),
  ciphers: Object.freeze([]),
  ciphersuites: Object.freeze([]),
  curves: Object.freeze([]),
  preferServerCiphers: false,
  ocspStapling: false,
  strictSni: false,
  extraTlsPorts: Object.freeze([]),
  tcpServices: Object.freeze([]),
});

/** Why a value can't be had; `field` is the name of the field as above, with its index. */
export interface TlsSettingsFault {
  readonly field: string;
  readonly message: string;
}

/**
 * Words as people write them → settings. A field that can't be had keeps its default, and the others go on. `ports` are those
 * that are taken already.
 */
export function checkTlsSettings(
  raw: { readonly [K in keyof TlsSettings]?: unknown } & { readonly sessionTickets?: unknown },
  takenPorts: readonly number[] = [],
): { readonly settings: TlsSettings; readonly faults: readonly TlsSettingsFault[] } {
  const faults: TlsSettingsFault[] = [];
  const fail = (field: string, message: string) => {
    faults.push({ field, message });
    return undefined;
  };
  const ports = new Set(takenPorts);
  const takePort = (value: unknown, field: string): number | undefined => {
    if (!isPortNumber(value)) return fail(field, `${quote(value)} is no port (1 to 65535)`);
    if (ports.has(value)) return fail(field, `port ${value} is taken by another listener`);
    ports.add(value);
    return value;
  };
  const words = <T extends string>(field: string, known: readonly T[], max = known.length) =>
    readWords(raw[field as keyof TlsSettings], field, known, max, fail);
  const flag = (field: "preferServerCiphers" | "ocspStapling" | "strictSni"): boolean => {
    const value = raw[field] ?? DEFAULT_TLS_SETTINGS[field];
    return typeof value === "boolean"
      ? value
      : (fail(field, `${quote(value)} is neither true nor false`) ?? DEFAULT_TLS_SETTINGS[field]);
  };

  if (raw.sessionTickets !== undefined && raw.sessionTickets !== true) {
    fail("sessionTickets", "Hitch 1.8.0 can't do without session tickets: they are always on");
  }
  let protocols = words("protocols", TLS_PROTOCOLS) ?? DEFAULT_TLS_SETTINGS.protocols;
  if (!protocols.includes("TLSv1.3")) {
    fail("protocols", "TLSv1.3 can't be left out");
    protocols = DEFAULT_TLS_SETTINGS.protocols;
  }
  const alpn = words("alpn", TLS_ALPN_PROTOCOLS);
  const { hsts, defaultCertificate, workers, trustedProxies } = raw;
  const checked = {
    hsts:
      hsts === undefined || isHsts(hsts)
        ? hsts
        : fail("hsts", `${quote(hsts)} is no value such as max-age=31536000;includeSubDomains`),
    defaultCertificate:
      defaultCertificate === undefined || isObjectName(defaultCertificate)
        ? defaultCertificate
        : fail("defaultCertificate", `${quote(defaultCertificate)} is no NAMESPACE/NAME`),
    workers:
      workers === undefined || (Number.isInteger(workers) && Number(workers) >= 1 && Number(workers) <= 64)
        ? (workers as number | undefined)
        : fail("workers", `${quote(workers)} is no number of workers (1 to 64)`),
    trustedProxies: readRanges(trustedProxies, fail),
  };
  const settings: TlsSettings = Object.freeze({
    protocols: Object.freeze([...protocols].sort()),
    ciphers: words("ciphers", TLS_CIPHERS) ?? [],
    ciphersuites: words("ciphersuites", TLS_CIPHERSUITES) ?? [],
    curves: words("curves", TLS_CURVES) ?? [],
    preferServerCiphers: flag("preferServerCiphers"),
    ...(alpn === undefined ? {} : { alpn }),
    ocspStapling: flag("ocspStapling"),
    ...(checked.hsts === undefined ? {} : { hsts: checked.hsts }),
    ...(checked.defaultCertificate === undefined ? {} : { defaultCertificate: checked.defaultCertificate }),
    strictSni: flag("strictSni"),
    ...(checked.workers === undefined ? {} : { workers: checked.workers }),
    ...(checked.trustedProxies === undefined ? {} : { trustedProxies: checked.trustedProxies }),
    extraTlsPorts: Object.freeze(
      readList(raw.extraTlsPorts, "extraTlsPorts", fail).flatMap(
        (port, i) => takePort(port, `extraTlsPorts[${i}]`) ?? [],
      ),
    ),
    tcpServices: Object.freeze(
      readList(raw.tcpServices, "tcpServices", fail).flatMap((one, i) => {
        const field = `tcpServices[${i}]`;
        const read = readTcpService(one, field, fail);
        return read === undefined || takePort(read.port, `${field}.port`) === undefined ? [] : [read];
      }),
    ),
  });
  return { settings, faults };
}

type Fail = (field: string, message: string) => undefined;

function readList(value: unknown, field: string, fail: Fail): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : (fail(field, "is no list") ?? []);
}

/** Known words, each once, in the order given; undefined when there are none or one is not known. */
function readWords<T extends string>(
  value: unknown,
  field: string,
  known: readonly T[],
  max: number,
  fail: Fail,
): readonly T[] | undefined {
  const list = readList(value, field, fail);
  if (list.length === 0) return undefined;
  const found = list.map((word) => known.find((one) => one === word));
  const unknown = found.indexOf(undefined);
  if (unknown >= 0) {
    return fail(
      `${field}[${unknown}]`,
      `${quote(list[unknown])} can't be had; known are ${known.join(", ")}`,
    );
  }
  if (new Set(found).size < found.length || found.length > max) return fail(field, "names a word twice");
  return Object.freeze(found.filter((word) => word !== undefined));
}

function readRanges(value: unknown, fail: Fail): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list = readList(value, "trustedProxies", fail);
  const ranges = list.map((text) => (typeof text === "string" ? canonicalRange(text) : undefined));
  const bad = ranges.indexOf(undefined);
  if (bad >= 0) return fail(`trustedProxies[${bad}]`, `${quote(list[bad])} is no address range`);
  return Object.freeze([...new Set(ranges.filter((range) => range !== undefined))].sort());
}

function isHsts(value: unknown): value is string {
  return typeof value === "string" && /^max-age=\d{1,10}(?:;includeSubDomains)?(?:;preload)?$/.test(value);
}

function isObjectName(value: unknown): value is string {
  const [namespace = "", name = "", ...rest] = typeof value === "string" ? value.split("/") : [];
  return isDnsLabel(namespace) && isDnsSubdomain(name) && rest.length === 0;
}

/** Without the check whether the port is free. */
function readTcpService(value: unknown, field: string, fail: Fail): TcpService | undefined {
  if (typeof value !== "object" || value === null) return fail(field, "is no object");
  const { port, namespace, service, servicePort, tls = "none", host } = value as Record<string, unknown>;
  if (!isPortNumber(port)) return fail(`${field}.port`, `${quote(port)} is no port (1 to 65535)`);
  if (typeof namespace !== "string" || !isDnsLabel(namespace))
    return fail(`${field}.namespace`, `${quote(namespace)} is no namespace`);
  if (typeof service !== "string" || !isDnsLabel(service))
    return fail(`${field}.service`, `${quote(service)} is no Service name`);
  if (!isPortNumber(servicePort) && !(typeof servicePort === "string" && isPortName(servicePort)))
    return fail(`${field}.servicePort`, `${quote(servicePort)} is no port`);
  if (tls !== "none" && tls !== "terminate")
    return fail(`${field}.tls`, `${quote(tls)} is neither none nor terminate`);
  if (host === undefined) return Object.freeze({ port, namespace, service, servicePort, tls });
  if (typeof host !== "string" || !isHost(host))
    return fail(`${field}.host`, `${quote(host)} is no DNS name in lower case`);
  if (tls === "none") return fail(`${field}.host`, "a host needs tls: terminate");
  return Object.freeze({ port, namespace, service, servicePort, tls, host });
}
