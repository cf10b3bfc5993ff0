// SPDX-License-Identifier: Apache-2.0
/**
 * The second line of defence: every value passes one of these right before it is rendered. The model has refused
 * what users got wrong long before; whatever is stopped here is a fault of ours, so it throws.
 */

import type { BackendSettings, HealthCheck, Strategy } from "../model/backend-settings.ts";
import { canonicalRange } from "../model/cidr.ts";
import type { ClientCertificateMode } from "../model/client-certificates.ts";
import { canonicalIp } from "../model/ip.ts";
import { HITCH_POOL } from "../model/listeners.ts";
import { ANY_HOST, isDnsLabel, isHost, isPortName, isPortNumber } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import {
  TLS_ALPN_PROTOCOLS,
  TLS_CIPHERS,
  TLS_CIPHERSUITES,
  TLS_CURVES,
  TLS_PROTOCOLS,
} from "../model/tls-settings.ts";
import type { AlpnProtocol, Channel, Listener, PathKind, Redirect, RuleOptions } from "../model/types.ts";
import { isUrlPath } from "../model/url-path.ts";

export class UnsafeValueError extends Error {
  readonly code = "EVENER_UNSAFE_VALUE";

  constructor(what: string, value: unknown) {
    super(`refusing to render ${what} ${quote(value)}`);
    this.name = "UnsafeValueError";
  }
}

function check<T>(ok: boolean, what: string, value: T): T {
  if (!ok) throw new UnsafeValueError(what, value);
  return value;
}

export function safeInteger(value: number, min: number, max: number): string {
  return String(check(Number.isInteger(value) && value >= min && value <= max, "number", value));
}

export function safeSeconds(value: number): string {
  return String(
    check(Number.isFinite(value) && value >= 0 && value <= 1e6, "time", Math.round(value * 1000) / 1000),
  );
}

export function safePort(value: number): string {
  return String(check(isPortNumber(value), "port", value));
}

export function safeFrontendHost(value: string): string {
  return check(value === "*" || value === "127.0.0.1", "host to listen on", value);
}

export function safePath(value: string): string {
  return check(/^\/[A-Za-z0-9._/-]{1,200}$/.test(value), "path", value);
}

/** A program's path: one word, and no word that begins with a dash. */
export function safeFile(value: string): string {
  return check(/^\/[A-Za-z0-9._/+-]{1,250}$/.test(value), "program", value);
}

export function safeCertificateId(value: string): string {
  return check(/^(?:[0-9a-f]{64}|default)$/.test(value), "certificate id", value);
}

export function safeHost(value: string): string {
  return check(value === ANY_HOST || isHost(value), "host", value);
}

export function safeListenerName(value: string): string {
  return check(/^[a-z][a-z0-9-]{0,31}$/.test(value), "listener name", value);
}

export function safeListenerAddress(value: string): string {
  const ok = /^(?:tcp:(?:\[[0-9a-f:.]{2,45}\]|[0-9.]{7,15}):[0-9]{1,5}|unix:\/[A-Za-z0-9._/-]{1,107})$/;
  return check(ok.test(value), "listener address", value);
}

export function safeProxy(value: Listener["proxy"]): string {
  return check(["none", "v1", "v2", "any"].includes(value), "proxy mode", value);
}

/** `namespace/service:port`, the port by number or, where it could not be found, by name; then what is special about it, if any. */
export function safePoolName(value: string): string {
  if (value === HITCH_POOL) return value;
  const match = /^([^/:]+)\/([^/:]+):([^/:]+)(?:\/[a-z0-9][a-z0-9.-]{0,99})?$/.exec(value);
  const [, namespace = "", service = "", port = ""] = match ?? [];
  const portOk = isPortName(port) || (/^\d{1,5}$/.test(port) && isPortNumber(Number(port)));
  return check(isDnsLabel(namespace) && isDnsLabel(service) && portOk, "pool name", value);
}

export function safeChannel({ address, port, max }: Channel): string {
  check(canonicalIp(address) === address, "address", address);
  const host = address.includes(":") ? `[${address}]` : address;
  const limit = max === 0 ? "" : `:${safeInteger(max, 1, 1e9)}`;
  return `${host}:${safePort(port)}${limit}`;
}

/** Balance's words. */
const STRATEGIES: ReadonlyMap<string, string> = new Map<Strategy, string>([
  ["round-robin", "rr"],
  ["least-connections", "leastconn"],
  ["power-of-two", "p2c"],
  ["source-hash", "hash"],
  ["first", "first"],
]);

export function safeStrategy(value: Strategy): string {
  return STRATEGIES.get(value) ?? check(false, "strategy", value);
}

export function safeCheckKind(value: HealthCheck["kind"]): string {
  return check(["tcp", "http"].includes(value), "kind of check", value);
}

export function safeSendProxy(value: BackendSettings["sendProxy"]): string {
  return check(["v1", "v2", "v2-ssl"].includes(value), "PROXY version", value);
}

/** A comma would end it. */
export function safeCheckPath(value: string): string {
  return check(isUrlPath(value) && !value.includes(","), "path of a check", value);
}

export function safeTable(value: string): string {
  return check(/^[a-z]{1,31}$/.test(value), "table name", value);
}

export function safeKind(value: PathKind): string {
  return check(["exact", "prefix"].includes(value), "kind of path", value);
}

export function safeUrlPath(value: string): string {
  return check(isUrlPath(value), "URL path", value);
}

export function safeRange(value: string): string {
  return check(canonicalRange(value) === value, "address range", value);
}

/** Printable ASCII without blanks is one word, and a word has no second meaning. */
export function safeRedirect({ code, location }: Redirect): string {
  check([301, 302, 303, 307, 308].includes(code), "status", code);
  const ok = /^(?:https?:\/\/|\/)[A-Za-z0-9\-._~!&'()*+,;=:@/?#%[\]]{0,2048}$/.test(location);
  return `${code},${check(ok, "location", location)}`;
}

export function safeClientMode(value: ClientCertificateMode): string {
  return check(["required", "optional"].includes(value), "client certificate mode", value);
}

export function safeClientCertificate({
  mode,
  certificate,
}: NonNullable<RuleOptions["clientCertificate"]>): string {
  return `${safeClientMode(mode)}${certificate ? ",pem" : ""}`;
}

export function safeHsts(value: string): string {
  return check(/^max-age=\d{1,10}(?:;includeSubDomains)?(?:;preload)?$/.test(value), "HSTS value", value);
}

export function safeAccessLog(value: string): string {
  return value === "off" || value === "stdout" ? value : safePath(value);
}

/** Words of one of the tables. */
function safeWords(known: readonly string[], what: string, values: readonly string[]): readonly string[] {
  return values.map((value) => check(known.includes(value), what, value));
}

export function safeProtocols(values: readonly string[]): string {
  return safeWords(TLS_PROTOCOLS, "TLS version", values).join(" ");
}

export function safeCiphers(values: readonly string[]): string {
  return safeWords(TLS_CIPHERS, "cipher", values).join(":");
}

export function safeCiphersuites(values: readonly string[]): string {
  return safeWords(TLS_CIPHERSUITES, "cipher suite", values).join(":");
}

export function safeCurves(values: readonly string[]): string {
  return safeWords(TLS_CURVES, "curve", values).join(":");
}

export function safeAlpn(values: readonly AlpnProtocol[]): string {
  const ok = values.length > 0 && values.every((value) => TLS_ALPN_PROTOCOLS.includes(value));
  // Hitch disconnects a client that offers ALPN without any common protocol, and HTTP/1.0 clients offer their own name.
  const offered = [...check(ok, "ALPN", values)];
  return (offered.includes("http/1.1") ? [...offered, "http/1.0"] : offered).join(",");
}
