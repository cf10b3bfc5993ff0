// SPDX-License-Identifier: Apache-2.0
/** The whole rebuild: store in, configuration, statuses and problems out. No I/O, no clock, no state. */
import { createBackends } from "./backends.ts";
import { arrangeCertificates, findServed, toCertificate } from "./certificates.ts";
import { enforceHostOwnership } from "./host-ownership.ts";
import { selectIngresses } from "./ingress-classes.ts";
import { selectOwned } from "./ownership.ts";
import { collectProblems, type Report } from "./problems.ts";
import { compareText, keyOf } from "./refs.ts";
import { ANY_HOST, collectRoutes, type HostRoutes } from "./routes.ts";
import { buildStatuses } from "./statuses.ts";
import { collectTls, readCandidate } from "./tls.ts";
import type {
  Certificate,
  Listener,
  ModelInput,
  ModelOutput,
  ModelSettings,
  ObjectRef,
  Route,
} from "./types.ts";

const HTTPS = "https";
const HTTP = "http";

export function buildModel(input: ModelInput): ModelOutput {
  const { store, settings, now } = input;
  const { report, sorted } = collectProblems();
  const ingresses = enforceHostOwnership(selectIngresses(store, settings), settings.hostOwnership, report);

  const backends = createBackends(store, report);
  const hostRoutes = collectRoutes(ingresses, backends, report);
  const routes = buildRoutes(hostRoutes);

  const requests = collectTls(ingresses, store, now, report);
  const defaultCertificate = findDefaultCertificate(input, report);
  const owned = selectOwned(ingresses, requests, report);
  const certificates = arrangeCertificates(owned, defaultCertificate);

  return {
    ir: {
      hitch: {
        httpsPort: settings.httpsPort,
        workers: settings.workers,
        backendSocket: `${settings.runDir}/balance.sock`,
        certDir: `${settings.runDir}/certs`,
        certificates,
        defaultCertificate,
        served: findServed(requests.claims, certificates, defaultCertificate),
      },
      balance: {
        workers: settings.workers,
        controlSocket: `${settings.runDir}/control.sock`,
        graceSeconds: settings.shutdownGraceSeconds,
        listeners: buildListeners(settings),
        pools: backends.pools(new Set(routes.map((route) => route.pool))),
        routes,
      },
    },
    statuses: buildStatuses(ingresses, hostRoutes, settings).toSorted((a, b) =>
      compareText(keyOf(a.ref), keyOf(b.ref)),
    ),
    problems: sorted(),
  };
}

function buildListeners(settings: ModelSettings): readonly Listener[] {
  return [
    { name: HTTP, address: `tcp:[::]:${settings.httpPort}`, proxy: "none" },
    { name: HTTPS, address: `unix:${settings.runDir}/balance.sock`, proxy: "v2" },
  ];
}

/** Without TLS there is no server name: until requests are read, the plain port can only have the default route. */
function buildRoutes({ pools }: HostRoutes): readonly Route[] {
  const anyHost = pools.get(ANY_HOST);
  const plain = anyHost === undefined ? [] : [{ listener: HTTP, host: ANY_HOST, pool: anyHost }];
  const tls = [...pools]
    .sort(([a], [b]) => compareText(a, b))
    .map(([host, pool]) => ({ listener: HTTPS, host, pool }));
  return [...plain, ...tls];
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
