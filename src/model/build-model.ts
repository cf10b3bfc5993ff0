// SPDX-License-Identifier: Apache-2.0
/** The whole rebuild: store in, configuration, statuses and problems out. No I/O, no clock. */
import type { V1Ingress } from "@kubernetes/client-node";
import { chooseAlpn } from "./alpn.ts";
import { type BackendPolicies, readBackendPolicies } from "./backend-policies.ts";
import { createBackends, type PoolRequest } from "./backends.ts";
import { type Claims, collectClaims } from "./claims.ts";
import {
  type ClientCertificatePolicies,
  readClientCertificatePolicies,
} from "./client-certificate-policies.ts";
import { enforceHostOwnership } from "./host-ownership.ts";
import { buildHttpRules } from "./http-rules.ts";
import { selectIngresses } from "./ingress-classes.ts";
import { assignLanes, type Lanes } from "./lanes.ts";
import { type PolicyStatus, sortStatuses } from "./policy-status.ts";
import { PoolBuilder } from "./pools.ts";
import { collectProblems, type Report } from "./problems.ts";
import { compareText, refOf } from "./refs.ts";
import { portKey } from "./service-ports.ts";
import { Stage } from "./stage.ts";
import { buildStatuses, type ServedClaim } from "./statuses.ts";
import { collectRoutes, type TcpRoutes } from "./tcp-routes.ts";
import { listTcpListeners, listTcpRoutes, resolveTcpServices, type TcpPort } from "./tcp-services.ts";
import { type Tls, TlsBuilder } from "./tls-builder.ts";
import { applyTlsSettings, readTlsProfiles } from "./tls-profiles.ts";
import type {
  HttpTable,
  IngressStatus,
  Ir,
  Listener,
  ModelInput,
  ModelOutput,
  ModelSettings,
  Pool,
  Route,
  Store,
} from "./types.ts";
import { planUpstream } from "./upstream.ts";

const HTTPS = "https";
const HTTP = "http";
/** Both listeners follow the same rules. */
const TABLE = "web";

export type BuildModel = (input: ModelInput) => ModelOutput;

/** One rebuild on its own. */
export function buildModel(input: ModelInput): ModelOutput {
  return createModelBuilder()(input);
}

/**
 * For many rebuilds of one world, most of them for a single endpoint. It gives what `buildModel` gives, whatever was built
 * before; a part whose inputs are the same objects is not computed again.
 */
export function createModelBuilder(): BuildModel {
  const selection = new Stage<readonly V1Ingress[]>();
  const tls = new TlsBuilder();
  const wishes = new Stage<Wishes>();
  const routing = new Stage<Routing>();
  const hitch = new Stage<Ir["hitch"]>();
  const statuses = new Stage<readonly IngressStatus[]>();
  const pools = new PoolBuilder();

  const profiles = new Stage<{
    readonly settings: ModelSettings;
    readonly statuses: readonly PolicyStatus[];
  }>();
  const clients = new Stage<ClientCertificatePolicies>();
  const backends = new Stage<BackendPolicies>();
  const policies = new Stage<readonly PolicyStatus[]>();

  return (given) => {
    const { store } = given;
    const { report, sorted } = collectProblems();
    const profile = profiles.run([store.tlsProfiles, store.ingressClasses, given.settings], report, (found) =>
      readProfile(given, found),
    );
    const { settings } = profile;
    const input = { ...given, settings };
    const ingresses = selection.run([store.ingresses, store.ingressClasses, settings], report, (found) =>
      enforceHostOwnership(selectIngresses(store, settings), settings.hostOwnership, found),
    );
    const secured = tls.build(ingresses, input, report);
    const demanded = clients.run(
      [ingresses, store.clientCertificatePolicies, store.secrets, store.configMaps],
      report,
      (found) => readClientCertificatePolicies(ingresses, store, input.now, found),
    );
    const backendPolicies = backends.run([store.backendPolicies, store.services], report, (found) =>
      readBackendPolicies(store, found),
    );
    const wished = wishes.run([ingresses, store.services, backendPolicies, settings], report, (found) =>
      readWishes(ingresses, store.services, backendPolicies, settings, found),
    );
    const routed = routing.run([wished, secured, settings], report, (found) =>
      route(wished, secured, settings, found),
    );
    const built = pools.build(wished.requests, routed.usedPools, store.endpointSlices, settings.zone, report);
    const { services: upstream, left } = planUpstream(wished.tcpPorts, built, settings, report);
    return {
      ir: {
        hitch: hitch.run([secured, routed, settings], report, (found) =>
          describeHitch(secured, routed, settings, found),
        ),
        balance: {
          workers: settings.workers,
          controlSocket: `${settings.runDir}/control.sock`,
          graceSeconds: settings.shutdownGraceSeconds,
          trust: settings.trustedProxies,
          http: settings.http,
          accessLog: settings.accessLog,
          listeners: [...buildListeners(settings), ...listTcpListeners(left, settings)],
          pools: upstream.length === 0 ? built : dropUnused(built, routed, left),
          routes: left.length === 0 ? routed.routes : [...routed.routes, ...listTcpRoutes(left)],
          tables: [routed.table],
          ...(upstream.length === 0 ? {} : { upstream }),
        },
      },
      statuses: statuses.run([ingresses, routed, settings], report, () =>
        buildStatuses(ingresses, routed.served, settings),
      ),
      policies: policies.run([profile, demanded, backendPolicies, wished, routed], report, () =>
        sortStatuses([
          ...profile.statuses,
          ...demanded.statuses,
          ...backendPolicies.describe(listUsedPorts(wished, routed)),
        ]),
      ),
      problems: sorted(),
    };
  };
}

/** The class's profile over the flags. */
function readProfile({ store, settings }: ModelInput, report: Report) {
  const { settings: tls, statuses } = readTlsProfiles(store, settings, report);
  return { settings: applyTlsSettings(settings, tls), statuses };
}

/** What the Ingresses ask for, before it is settled who gets it. */
interface Wishes {
  readonly lanes: Lanes;
  readonly fallbacks: Claims["fallbacks"];
  readonly requests: readonly PoolRequest[];
  readonly tcpPorts: readonly TcpPort[];
}

function readWishes(
  ingresses: readonly V1Ingress[],
  services: Store["services"],
  policies: BackendPolicies,
  { tcpServices = [] }: ModelSettings,
  report: Report,
): Wishes {
  const backends = createBackends(services, policies, report);
  const { paths, fallbacks } = collectClaims(ingresses, backends, report);
  const tcpPorts = resolveTcpServices(tcpServices, backends, report);
  return { lanes: assignLanes(paths, report), fallbacks, requests: backends.requests(), tcpPorts };
}

interface Routing {
  readonly tcp: TcpRoutes;
  readonly routes: readonly Route[];
  readonly table: HttpTable;
  readonly served: readonly ServedClaim[];
  /** Names of the pools that something leads to. */
  readonly usedPools: ReadonlySet<string>;
}

function route(
  { lanes, fallbacks, tcpPorts, requests }: Wishes,
  tls: Tls,
  settings: ModelSettings,
  report: Report,
): Routing {
  const tcp = collectRoutes(lanes.tcp, report);
  const http = buildHttpRules(
    {
      // On the plain port there is no server name, so a host of the TCP lane has rules there like any other.
      claims: [...lanes.http, ...tcp.winners.values()],
      fallbacks,
      tableName: TABLE,
      isSecured: tls.served.isSecured,
      hsts: settings.hsts,
    },
    report,
  );
  const routes = buildRoutes(tcp);
  if (settings.upstreamBalance !== undefined) reportRoutes(routes, requests, report);
  return {
    tcp,
    routes,
    table: http.table,
    served: [...http.served, ...tcp.served],
    usedPools: listPools([...routes, ...tcpPorts], http.table),
  };
}

/** The one thing of the TCP lane that upstream Balance could never serve. */
function reportRoutes(routes: readonly Route[], requests: readonly PoolRequest[], report: Report): void {
  const targets = new Map(requests.map(({ name, target }) => [name, target]));
  for (const { host, pool } of routes) {
    const service = targets.get(pool)?.service;
    if (service === undefined) continue;
    const message = `upstream Balance can't tell host ${host} by its server name; Evener's own Balance serves it`;
    report(refOf("Service", service), "warning", "UpstreamCannotExpress", message);
  }
}

/** Without the pools that only upstream processes serve. */
function dropUnused(
  pools: readonly Pool[],
  { routes, table }: Routing,
  left: readonly TcpPort[],
): readonly Pool[] {
  const used = listPools([...routes, ...left], table);
  return pools.filter(({ name }) => used.has(name));
}

/** Service ports that something leads to, by `portKey`. */
function listUsedPorts({ requests }: Wishes, { usedPools }: Routing): ReadonlySet<string> {
  const targets = requests.flatMap(({ name, target }) => (usedPools.has(name) ? (target ?? []) : []));
  return new Set(targets.map(({ service, port }) => portKey(service, port)));
}

function describeHitch(tls: Tls, { tcp, table }: Routing, settings: ModelSettings, report: Report) {
  const { certificates, defaultCertificate, served, hosts } = tls;
  return {
    httpsPort: settings.httpsPort,
    workers: settings.workers,
    backendSocket: `${settings.runDir}/balance.sock`,
    certDir: `${settings.runDir}/certs`,
    alpn: chooseAlpn(settings, hosts, tcp.winners, table, report),
    certificates,
    defaultCertificate,
    served: served.hosts,
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

function listPools(
  routes: readonly { readonly pool: string }[],
  { rules, fallback }: HttpTable,
): ReadonlySet<string> {
  const used = new Set(routes.map((route) => route.pool));
  for (const { pool } of rules) if (pool !== undefined) used.add(pool);
  if (fallback !== undefined) used.add(fallback.pool);
  return used;
}
