// SPDX-License-Identifier: Apache-2.0
/** Annotations that are known and have no effect here: people are told so, with the nearest alternative. */
import type { FaultEffect } from "./spec.ts";

export interface Unsupported {
  /** What serving the Ingress without it would do. */
  readonly effect: FaultEffect;
  /** What to do instead, or what holds in its place. */
  readonly instead: string;
}

const NO_AUTH = "put an authenticating proxy in front of the Service";
const RELAY = "HTTP bodies are streamed, never buffered";
const TLS_TO_PODS = "pods are spoken to without TLS";
const SPREAD = "evener.io/load-balance: source-hash keeps a client's address at its endpoint";
const CANARY = "the Ingress that the canary accompanies is served alone";
const CORS = "let the application answer with Access-Control-* fields";
const FIREWALL = "put a web application firewall in front of the Service";
const TRACES = "fields such as traceparent are passed on; --access-log has the times";
const UNTOUCHED = "fields of answers are passed on as they are; set them in the application";
const RETRIES = "another endpoint is tried when connecting fails";
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
  [
    "hsts hsts-max-age hsts-include-subdomains hsts-preload",
    "HSTS is set for the class: TLSProfile or --hsts-max-age",
  ],
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
  ["add-base-url base-url-scheme", "set the base URL in the application"],
  ["canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value", CANARY],
  ["canary-weight canary-weight-total", CANARY],
  [
    "connection-proxy-header proxy-http-version",
    "pods are spoken to in HTTP/1.1, with connections that are kept",
  ],
  ["enable-cors cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin", CORS],
  ["cors-expose-headers cors-max-age", CORS],
  ["custom-headers", "set the fields of answers in the application"],
  ["custom-http-errors disable-proxy-intercept-errors", "what a pod answers is passed on as it is"],
  ["enable-modsecurity enable-owasp-core-rules modsecurity-transaction-id", FIREWALL],
  ["lua-resty-waf lua-resty-waf-debug lua-resty-waf-ignore-rulesets lua-resty-waf-extra-rules", FIREWALL],
  ["lua-resty-waf-allow-unknown-content-types lua-resty-waf-score-threshold", FIREWALL],
  ["lua-resty-waf-process-multipart-body", FIREWALL],
  ["enable-opentelemetry opentelemetry-operation-name opentelemetry-trust-incoming-span", TRACES],
  ["enable-opentracing opentracing-trust-incoming-span", TRACES],
  [
    "enable-influxdb influxdb-host influxdb-measurement influxdb-port influxdb-server-name",
    "metrics are at /metrics",
  ],
  ["enable-rewrite-log", "evener lint says what becomes of a path"],
  [
    "fastcgi-index fastcgi-params-configmap",
    "pods are spoken to in HTTP/1.1; put a web server before FastCGI",
  ],
  ["grpc-backend", "evener.io/backend-protocol: GRPC, in the TCP lane"],
  ["http2-push-preload", "browsers no longer take what is pushed"],
  ["mirror-host mirror-request-body mirror-target", "requests are not copied; a service mesh can"],
  [
    "preserve-trailing-slash relative-redirects use-port-in-redirects",
    "redirects go where the annotation says",
  ],
  [
    "proxy-add-original-uri-header",
    "with rewrite-target the pod does not get to know the path that was asked for",
  ],
  ["proxy-cookie-domain proxy-cookie-path proxy-redirect-from proxy-redirect-to", UNTOUCHED],
  ["proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries", RETRIES],
  ["session-cookie-change-on-failure session-cookie-conditional-samesite-none session-cookie-domain", SPREAD],
  ["session-cookie-expires session-cookie-hash session-cookie-max-age session-cookie-name", SPREAD],
  ["session-cookie-path session-cookie-samesite session-cookie-secure", SPREAD],
  ["ssl-ciphers ssl-prefer-server-ciphers", "TLSProfile: ciphers, preferServerCiphers"],
  ["upstream-fail-timeout upstream-max-fails", "BackendPolicy: ejection"],
  ["upstream-vhost", "pods get the Host field as the client sent it"],
  ["x-forwarded-prefix", "set the prefix in the application"],
];

/** By the name behind the prefix. */
export const UNSUPPORTED: ReadonlyMap<string, Unsupported> = new Map([
  ...WITH_EFFECT.flatMap(([names, entry]) => split(names).map((name) => [name, entry] as const)),
  ...WITH_ALTERNATIVE.flatMap(([names, instead]) =>
    split(names).map((name) => [name, { effect: "ignore", instead } as const] as const),
  ),
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
