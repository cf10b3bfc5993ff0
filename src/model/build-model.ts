// SPDX-License-Identifier: Apache-2.0
/** The whole rebuild: store in, configuration, statuses and problems out. No I/O, no clock, no state. */
import { chooseAlpn } from "./alpn.ts";
import { createBackends } from "./backends.ts";
import { arrangeCertificates, findServed, toCertificate } from "./certificates.ts";
import { collectClaims } from "./claims.ts";
import { buildHttpRules } from "./http-rules.ts";
import { selectIngresses } from "./ingress-classes.ts";
import { assignLanes } from "./lanes.ts";
import { selectOwned } from "./ownership.ts";
import { collectProblems, type Report } from "./problems.ts";
import { compareText } from "./refs.ts";
import { buildStatuses } from "./statuses.ts";
import { collectRoutes, type TcpRoutes } from "./tcp-routes.ts";
import { collectTls, readCandidate } from "./tls.ts";
import type {
  Certificate,
  HttpTable,
  Listener,
  ModelInput,
  ModelOutput,
  ModelSettings,
  ObjectRef,
  Route,
} from "./types.ts";

const HTTPS = "https";
const HTTP = "http";
/** Both listeners follow the same rules. */
const TABLE = "web";

export function buildModel(input: ModelInput): ModelOutput {
  const { store, settings, now } = input;
  const { report, sorted } = collectProblems();
  const ingresses = selectIngresses(store, settings);

  const requests = collectTls(ingresses, store, now, report);
  const defaultCertificate = findDefaultCertificate(input, report);
  const owned = selectOwned(ingresses, requests, report);
  const certificates = arrangeCertificates(owned, defaultCertificate);
  const served = findServed(requests.claims, certificates, defaultCertificate);

  const backends = createBackends(store, report);
  const claims = collectClaims(ingresses, backends, report);
  const lanes = assignLanes(claims.paths, report);
  const tcp = collectRoutes(lanes.tcp, report);
  const http = buildHttpRules(
    {
      // On the plain port there is no server name, so a host of the TCP lane has rules there like any other.
      claims: [...lanes.http, ...tcp.winners.values()],
      fallbacks: claims.fallbacks,
      tableName: TABLE,
      isSecured: served.isSecured,
      hsts: settings.hsts,
    },
    report,
  );
  const routes = buildRoutes(tcp);
  const tlsHosts = requests.claims.map((claim) => claim.host);

  return {
    ir: {
      hitch: {
        httpsPort: settings.httpsPort,
        workers: settings.workers,
        backendSocket: `${settings.runDir}/balance.sock`,
        certDir: `${settings.runDir}/certs`,
        alpn: chooseAlpn(settings, tlsHosts, tcp.winners, http.table, report),
        certificates,
        defaultCertificate,
        served: served.hosts,
      },
      balance: {
        workers: settings.workers,
        controlSocket: `${settings.runDir}/control.sock`,
        graceSeconds: settings.shutdownGraceSeconds,
        trust: settings.trustedProxies,
        http: settings.http,
        accessLog: settings.accessLog,
        listeners: buildListeners(settings),
        pools: backends.pools(listPools(routes, http.table)),
        routes,
        tables: [http.table],
      },
    },
    statuses: buildStatuses(ingresses, [...http.served, ...tcp.served], settings),
    problems: sorted(),
  };
}

function buildListeners(settings: ModelSettings): readonly Listener[] {
  const proxied = settings.useProxyProtocol;
  return [
    {
      name: HTTP,
      address: `tcp:[::]:${settings.httpPort}`,
      proxy: proxied ? "any" : "none",
      trustedOnly: proxied,
      table: TABLE,
    },
    {
      name: HTTPS,
      address: `unix:${settings.runDir}/balance.sock`,
      proxy: "v2",
      trustedOnly: false,
      table: TABLE,
    },
  ];
}

function buildRoutes({ winners }: TcpRoutes): readonly Route[] {
  return [...winners]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([host, { pool }]) => (pool === undefined ? [] : [{ listener: HTTPS, host, pool }]));
}

function listPools(routes: readonly Route[], { rules, fallback }: HttpTable): ReadonlySet<string> {
  const used = new Set(routes.map((route) => route.pool));
  for (const { pool } of rules) if (pool !== undefined) used.add(pool);
  if (fallback !== undefined) used.add(fallback.pool);
  return used;
}

function findDefaultCertificate(input: ModelInput, report: Report): Certificate {
  const key = input.settings.defaultSslCertificate;
  if (key === undefined) return input.fallbackCertificate;
  const [namespace = "", name = ""] = key.split("/");
  const ref: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace, name };
  const secret = input.store.secrets.get(key);
  if (secret === undefined) {
    const message = "is named by --default-ssl-certificate and does not exist; a generated one is served";
    report(ref, "warning", "SecretNotFound", message);
    return input.fallbackCertificate;
  }
  const candidate = readCandidate(secret, ref, "", input.now, report);
  return candidate === undefined ? input.fallbackCertificate : toCertificate(candidate);
}
