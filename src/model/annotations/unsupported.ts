// SPDX-License-Identifier: Apache-2.0
/** Annotations that are known and have no effect here: people are told so, with the nearest alternative. */
import type { FaultEffect } from "./spec.ts";

export interface Unsupported {
  /** What serving the Ingress without it would do. */
  readonly effect: FaultEffect;
  /** What to do instead. */
  readonly instead?: string;
}

const NO_AUTH = "put an authenticating proxy in front of the Service";
const RELAY = "HTTP bodies are streamed, never buffered";
const TLS_TO_PODS = "pods are spoken to without TLS";
const SPREAD = "evener.io/load-balance: source-hash keeps a client's address at its endpoint";
const RATES = "limit-connections bounds the requests at a time";

/** Served without these, an Ingress would do something else than it says: it is closed or left out. */
const WITH_EFFECT: readonly (readonly [names: string, Unsupported])[] = [
  ["auth-type auth-url", { effect: "close", instead: NO_AUTH }],
  ["canary", { effect: "refuse", instead: "the Ingress it accompanies is served alone" }],
];

const WITH_ALTERNATIVE: readonly (readonly [names: string, instead: string])[] = [
  ["use-regex", "paths are literal; a Prefix path covers all below it"],
  ["server-alias", "list the host as a rule of its own"],
  ["from-to-www-redirect", "make an Ingress for the other host with permanent-redirect"],
  ["default-backend", "use spec.defaultBackend"],
  ["upstream-hash-by-subset upstream-hash-by-subset-size", SPREAD],
  ["affinity affinity-mode affinity-canary-behavior", SPREAD],
  [
    "limit-rps limit-rpm limit-rate limit-rate-after limit-burst-multiplier limit-whitelist limit-allowlist",
    RATES,
  ],
  ["global-rate-limit global-rate-limit-window global-rate-limit-key global-rate-limit-ignored-cidrs", RATES],
  ["proxy-buffering proxy-request-buffering proxy-buffer-size proxy-buffers-number", RELAY],
  ["proxy-busy-buffers-size proxy-max-temp-file-size client-body-buffer-size", RELAY],
  ["proxy-ssl-secret proxy-ssl-ciphers proxy-ssl-name proxy-ssl-protocols proxy-ssl-verify", TLS_TO_PODS],
  ["proxy-ssl-verify-depth proxy-ssl-server-name secure-backends secure-verify-ca-secret", TLS_TO_PODS],
  ["hsts hsts-max-age hsts-include-subdomains hsts-preload", "HSTS is set for the class: --hsts-max-age"],
  ["enable-access-log", "the access log is set for the class: --access-log"],
  ["proxy-send-timeout", "a pod that takes nothing is given up after 60 seconds"],
  ["auth-tls-verify-depth", "a chain may be as long as its CAs allow"],
  ["auth-tls-error-page auth-tls-match-cn", "the pod gets the subject in ssl-client-subject-dn"],
  ["auth-secret auth-secret-type auth-realm auth-method", NO_AUTH],
  ["auth-signin auth-signin-redirect-param auth-response-headers auth-request-redirect", NO_AUTH],
  [
    "auth-cache-key auth-cache-duration auth-keepalive auth-keepalive-requests auth-keepalive-timeout",
    NO_AUTH,
  ],
  [
    "auth-keepalive-share-vars auth-always-set-cookie auth-proxy-set-headers enable-global-auth satisfy",
    NO_AUTH,
  ],
];

const OTHERS = `
  add-base-url base-url-scheme canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value
  canary-weight canary-weight-total connection-proxy-header cors-allow-credentials cors-allow-headers
  cors-allow-methods cors-allow-origin cors-expose-headers cors-max-age custom-headers custom-http-errors
  disable-proxy-intercept-errors enable-cors enable-influxdb enable-modsecurity enable-opentelemetry
  enable-opentracing enable-owasp-core-rules enable-rewrite-log grpc-backend http2-push-preload influxdb-host
  influxdb-measurement influxdb-port influxdb-server-name mirror-host mirror-request-body
  mirror-target modsecurity-transaction-id opentelemetry-operation-name opentelemetry-trust-incoming-span
  opentracing-trust-incoming-span preserve-trailing-slash proxy-add-original-uri-header proxy-cookie-domain
  proxy-cookie-path proxy-http-version proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries
  proxy-redirect-from proxy-redirect-to relative-redirects session-cookie-change-on-failure
  session-cookie-conditional-samesite-none session-cookie-domain session-cookie-expires session-cookie-max-age
  session-cookie-name session-cookie-path session-cookie-samesite session-cookie-secure ssl-ciphers
  ssl-prefer-server-ciphers upstream-vhost x-forwarded-prefix`;

/** By the name behind the prefix. */
export const UNSUPPORTED: ReadonlyMap<string, Unsupported> = new Map([
  ...WITH_EFFECT.flatMap(([names, entry]) => split(names).map((name) => [name, entry] as const)),
  ...WITH_ALTERNATIVE.flatMap(([names, instead]) =>
    split(names).map((name) => [name, { effect: "ignore", instead } as const] as const),
  ),
  ...split(OTHERS).map((name) => [name, { effect: "ignore" } as const] as const),
]);

/** Switched off, these ask for what happens anyway. */
const SWITCHES: ReadonlySet<string> = new Set(
  split(`canary use-regex enable-cors enable-modsecurity enable-opentelemetry
    enable-opentracing enable-owasp-core-rules enable-influxdb enable-rewrite-log from-to-www-redirect
    http2-push-preload preserve-trailing-slash proxy-buffering proxy-request-buffering relative-redirects
    secure-backends enable-global-auth mirror-request-body grpc-backend add-base-url`),
);

/** `canary: "false"` needs no word. */
export function asksForNothing(name: string, value: string): boolean {
  return SWITCHES.has(name) && ["false", "off", "0"].includes(value.toLowerCase());
}

/** Snippets carry configuration text: never. */
export function isSnippet(name: string): boolean {
  return name.endsWith("-snippet") || name.endsWith("-snippets");
}

function split(names: string): readonly string[] {
  return names.trim().split(/\s+/);
}
