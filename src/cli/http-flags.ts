// SPDX-License-Identifier: Apache-2.0
/** Flags of the HTTP lane, for the class as a whole. */
import { InvalidArgumentError, type Option } from "commander";
import { quote } from "../model/quote.ts";
import { compareText } from "../model/refs.ts";
import { TLS_ALPN_PROTOCOLS } from "../model/tls-settings.ts";
import type { AlpnProtocol, ModelSettings } from "../model/types.ts";
import { flag, listFlag, parseBoolean, parsePort, parseRange, parseTimeout, SettingsError } from "./flags.ts";

export interface RawHttpOptions {
  readonly trustedProxies: readonly string[];
  readonly useProxyProtocol: boolean;
  readonly publicHttpPort: number;
  readonly publicHttpsPort: number;
  readonly httpHeadTimeout: number;
  readonly httpIdleTimeout: number;
  readonly httpTunnelTimeout: number;
  readonly accessLog: string;
  readonly hstsMaxAge: number;
  readonly hstsIncludeSubdomains: boolean;
  readonly hstsPreload: boolean;
  readonly alpn: readonly AlpnProtocol[];
}

/** A hundred years; browsers cut it to less. */
const MAX_HSTS_AGE = 3_153_600_000;
/** What the preload list demands. */
const MIN_PRELOAD_AGE = 31_536_000;

export function httpFlags(): readonly Option[] {
  return [
    listFlag("--trusted-proxies <range>", "whose PROXY header and X-Forwarded-* are believed", parseRange),
    switchFlag("--use-proxy-protocol [bool]", "trusted proxies speak PROXY v1 or v2, and have to"),
    flag("--public-http-port <port>", "plain port as clients see it", parsePort).default(80),
    flag("--public-https-port <port>", "TLS port as clients see it, for redirects", parsePort).default(443),
    flag("--http-head-timeout <time>", "how long a request's head may take", parseTimeout).default(30),
    flag("--http-idle-timeout <time>", "how long a client may stay between requests", parseTimeout).default(
      75,
    ),
    flag("--http-tunnel-timeout <time>", "silence in an upgraded connection", parseTimeout).default(3600),
    flag("--access-log <where>", "off, stdout or a file: one JSON line per request", parseAccessLog).default(
      "off",
    ),
    flag("--hsts-max-age <seconds>", "Strict-Transport-Security of hosts with TLS; 0: off", parseAge).default(
      0,
    ),
    switchFlag("--hsts-include-subdomains [bool]", "HSTS for subdomains too"),
    switchFlag("--hsts-preload [bool]", "HSTS with consent to preloading"),
    flag(
      "--alpn <protocols>",
      "what TLS offers; h2 only when all hosts are in the TCP lane",
      parseAlpn,
    ).default(["http/1.1"] satisfies AlpnProtocol[], "http/1.1"),
  ];
}

type HttpPart = Pick<
  ModelSettings,
  "http" | "trustedProxies" | "useProxyProtocol" | "accessLog" | "hsts" | "alpn"
>;

export function toHttpSettings(raw: RawHttpOptions): HttpPart {
  if (raw.useProxyProtocol && raw.trustedProxies.length === 0) {
    throw new SettingsError("--use-proxy-protocol needs --trusted-proxies: nobody else's header is believed");
  }
  const hsts = describeHsts(raw);
  return {
    http: Object.freeze({
      headTimeoutSeconds: raw.httpHeadTimeout,
      idleTimeoutSeconds: raw.httpIdleTimeout,
      tunnelTimeoutSeconds: raw.httpTunnelTimeout,
      publicHttpPort: raw.publicHttpPort,
      publicHttpsPort: raw.publicHttpsPort,
    }),
    trustedProxies: Object.freeze([...raw.trustedProxies].sort(compareText)),
    useProxyProtocol: raw.useProxyProtocol,
    accessLog: raw.accessLog,
    ...(hsts === undefined ? {} : { hsts }),
    alpn: Object.freeze([...raw.alpn]),
  };
}

/** RFC 6797 §6.1, without blanks: it is one word of balance.conf. */
function describeHsts({
  hstsMaxAge,
  hstsIncludeSubdomains,
  hstsPreload,
}: RawHttpOptions): string | undefined {
  if (hstsMaxAge === 0) {
    if (hstsIncludeSubdomains || hstsPreload) throw new SettingsError("--hsts-max-age is missing");
    return undefined;
  }
  if (hstsPreload && (!hstsIncludeSubdomains || hstsMaxAge < MIN_PRELOAD_AGE)) {
    throw new SettingsError(
      `--hsts-preload wants --hsts-include-subdomains and --hsts-max-age of at least ${MIN_PRELOAD_AGE}`,
    );
  }
  const subdomains = hstsIncludeSubdomains ? ";includeSubDomains" : "";
  return `max-age=${hstsMaxAge}${subdomains}${hstsPreload ? ";preload" : ""}`;
}

function switchFlag(flags: string, description: string): Option {
  return flag(flags, description, parseBoolean).default(false).preset(true);
}

function parseAge(text: string): number {
  const age = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (age <= MAX_HSTS_AGE) return age;
  throw new InvalidArgumentError(`${quote(text)} is no number of seconds (0 to ${MAX_HSTS_AGE}).`);
}

function parseAccessLog(text: string): string {
  if (text === "off" || text === "stdout" || /^\/[A-Za-z0-9._/-]{1,200}$/.test(text)) return text;
  throw new InvalidArgumentError(`${quote(text)} is neither off, stdout nor an absolute path.`);
}

function parseAlpn(text: string): readonly AlpnProtocol[] {
  const words = text.split(",").map((word) => word.trim());
  const known = TLS_ALPN_PROTOCOLS.filter((protocol) => words.includes(protocol));
  if (known.length === words.length && known.length > 0) return words as AlpnProtocol[];
  throw new InvalidArgumentError(`${quote(text)} is no list of ${TLS_ALPN_PROTOCOLS.join(" and ")}.`);
}
