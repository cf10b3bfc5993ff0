// SPDX-License-Identifier: Apache-2.0
/** The whole rebuild: store in, configuration, statuses and problems out. No I/O, no clock. */
import type { V1Ingress } from "@kubernetes/client-node";
import { chooseAlpn } from "./alpn.ts";
import { type BackendPolicies, readBackendPolicies } from "./backend-policies.ts";
import { createBackends, type PoolRequest } from "./backends.ts";
import { type Claim, type Claims, collectClaims } from "./claims.ts";
import { enforceHostOwnership } from "./host-ownership.ts";
import { buildHttpRules } from "./http-rules.ts";
import { selectIngresses } from "./ingress-classes.ts";
import { assignLanes, type Lanes } from "./lanes.ts";
import { type Listening, planListeners } from "./listeners.ts";
import { type PolicyStatus, type Refusal, sortStatuses } from "./policy-status.ts";
import { PoolBuilder } from "./pools.ts";
import { collectProblems, type Report } from "./problems.ts";
import { leaveOutDemanding } from "./relayed-demands.ts";
import { portKey } from "./service-ports.ts";
import { Stage } from "./stage.ts";
import { buildStatuses, type ServedClaim } from "./statuses.ts";
import { collectRoutes, type TcpRoutes } from "./tcp-routes.ts";
import { type ClassService, collectTcpPorts, resolveClassServices, type TcpPort } from "./tcp-services.ts";
import { type Tls, TlsBuilder } from "./tls-builder.ts";
import { applyTlsSettings, readTlsProfiles } from "./tls-profiles.ts";
import { DEFAULT_TLS_SETTINGS } from "./tls-settings.ts";
import type {
  HttpTable,
  IngressStatus,
  Ir,
  ModelInput,
  ModelOutput,
  ModelSettings,
  RenderedTls,
  Store,
} from "./types.ts";
import { planUpstream } from "./upstream.ts";
import { listPools } from "./used-pools.ts";

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

  const profiles = new Stage<Profile>();
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
    const backendPolicies = backends.run([store.backendPolicies, store.services], report, (found) =>
      readBackendPolicies(store, found),
    );
    const wished = wishes.run([ingresses, store.services, backendPolicies, settings.tls], report, (found) =>
      readWishes(ingresses, store.services, backendPolicies, settings, found),
    );
    const routed = routing.run([wished, secured, settings], report, (found) =>
      route(wished, secured, settings, found),
    );
    const built = pools.build(wished.requests, routed.usedPools, store.endpointSlices, settings.zone, report);
    const listening = { ...routed.listening, pools: [...built, ...routed.listening.pools] };
    const balanced =
      settings.upstreamBalance === undefined
        ? listening
        : planUpstream(listening, routed, wished.requests, settings, report);
    return {
      ir: {
        hitch: hitch.run([secured, routed, settings], report, (found) =>
          describeHitch(secured, routed, settings, found),
        ),
        balance: {
          workers: settings.workers,
          ...inviteGuests(settings),
          controlSocket: `${settings.runDir}/control.sock`,
          graceSeconds: settings.shutdownGraceSeconds,
          trust: settings.trustedProxies,
          http: settings.http,
          accessLog: settings.accessLog,
          listeners: balanced.listeners,
          pools: balanced.pools,
          routes: balanced.routes,
          tables: [routed.table],
          ...("services" in balanced && balanced.services.length > 0 ? { upstream: balanced.services } : {}),
        },
      },
      statuses: statuses.run([ingresses, routed, settings], report, () =>
        buildStatuses(ingresses, routed.served, settings),
      ),
      policies: policies.run([profile, secured, backendPolicies, wished, routed], report, () =>
        sortStatuses([
          ...profile.statuses,
          ...secured.describePolicies(
            new Map([...routed.refused, ...(routed.listening.front ? refuseDemands(secured) : [])]),
          ),
          ...backendPolicies.describe(() => listUsedPorts(wished, routed)),
        ]),
      ),
      problems: sorted(),
    };
  };
}

interface Profile {
  /** The flags under what the class's profile says. */
  readonly settings: ModelSettings;
  readonly statuses: readonly PolicyStatus[];
}

function readProfile({ store, settings }: ModelInput, report: Report): Profile {
  const { settings: tls, statuses } = readTlsProfiles(store, settings, report);
  return { settings: applyTlsSettings(settings, tls), statuses };
}

/** What the Ingresses ask for, before it is settled who gets it. */
interface Wishes {
  readonly lanes: Lanes;
  readonly fallbacks: Claims["fallbacks"];
  readonly requests: readonly PoolRequest[];
  readonly services: readonly ClassService[];
}

function readWishes(
  ingresses: readonly V1Ingress[],
  services: Store["services"],
  policies: BackendPolicies,
  settings: ModelSettings,
  report: Report,
): Wishes {
  const backends = createBackends(services, policies, report);
  const { paths, fallbacks } = collectClaims(ingresses, backends, report);
  const classServices = resolveClassServices(settings.tls?.tcpServices ?? [], backends);
  return {
    lanes: assignLanes(paths, report),
    fallbacks,
    services: classServices,
    requests: backends.requests(),
  };
}

interface Routing {
  /** Hosts whose demand for client certificates can't be carried out, for they are relayed. */
  readonly refused: ReadonlyMap<string, Refusal>;
  readonly tcp: TcpRoutes;
  readonly passthrough: TcpRoutes;
  readonly listening: Listening;
  readonly ports: readonly TcpPort[];
  readonly table: HttpTable;
  readonly served: readonly ServedClaim[];
  /** Names of the pools that something leads to. */
  readonly usedPools: ReadonlySet<string>;
}

function route(
  { lanes: wanted, fallbacks, services }: Wishes,
  tls: Tls,
  settings: ModelSettings,
  report: Report,
): Routing {
  const { lanes, refused } = leaveOutDemanding(wanted, tls.clientsOf, report);
  const tcp = collectRoutes(lanes.tcp, report);
  const passthrough = collectRoutes(allowPassthrough(lanes.passthrough, settings, report), report);
  const ports = collectTcpPorts(services, lanes.port, settings, report);
  const listening = planListeners(settings, TABLE, tcp, passthrough, ports.ports);
  const http = buildHttpRules(
    {
      // On the plain port there is no server name, so a host of the TCP lane has rules there like any other.
      claims: [...lanes.http, ...tcp.winners.values(), ...[...passthrough.winners.values()].map(toHttps)],
      fallbacks,
      tableName: TABLE,
      isSecured: tls.served.isSecured,
      hsts: settings.hsts,
      clientsOf: listening.front ? closeDemands(tls, report) : tls.clientsOf,
    },
    report,
  );
  return {
    refused,
    tcp,
    passthrough,
    listening,
    ports: ports.ports,
    table: http.table,
    served: [
      ...http.served.filter(({ host }) => !passthrough.winners.has(host)),
      ...tcp.served,
      ...passthrough.served,
      ...ports.served,
    ],
    usedPools: listPools(listening.routes, http.table),
  };
}

function allowPassthrough(
  claims: readonly Claim[],
  settings: ModelSettings,
  report: Report,
): readonly Claim[] {
  if (settings.sslPassthrough === true) return claims;
  for (const claim of claims) {
    const message = "ssl-passthrough needs --enable-ssl-passthrough; the rule is left out";
    report(claim.ref, "error", "PassthroughNotEnabled", message, claim.field);
  }
  return [];
}

/** The pods speak TLS: who comes without is sent to where they are asked with it. */
function toHttps(claim: Claim): Claim {
  return { ...claim, options: { ...claim.options, forceSslRedirect: true, redirect: undefined } };
}

/** Hitch says nothing of client certificates while it passes on a PROXY header that it was given. */
function closeDemands(tls: Tls, report: Report): Tls["clientsOf"] {
  const { clientsOf, demands } = tls;
  const refusals = refuseDemands(tls);
  for (const { host, source } of demands) {
    const refusal = refusals.get(host);
    if (refusal !== undefined) report(source, "error", refusal.reason, refusal.message);
  }
  return (host, ingress) => (clientsOf(host, ingress) === undefined ? undefined : "closed");
}

function refuseDemands({ demands }: Tls): ReadonlyMap<string, Refusal> {
  return new Map(
    demands.map(({ host }) => {
      const message =
        `host ${host} asks for client certificates, which can't be had while Balance has the TLS port ` +
        "(TLS passthrough, or PROXY from load balancers); until that is changed its rules answer 403";
      return [host, { reason: "ClientCertificateNotPossible", message }];
    }),
  );
}

/** Most processes that Balance keeps counters for. */
const MOST_WORKERS = 64;

/**
 * Numbers for Hitch's workers, of two generations while one takes over from the other, and some for generations before them that still have connections.
 * Who finds none free goes over the socket.
 */
function inviteGuests({ workers, separateProcesses, runDir }: ModelSettings): Pick<Ir["balance"], "guests"> {
  const most = Math.min(MOST_WORKERS - workers, 2 * workers + 2);
  return separateProcesses === true || most < 1 ? {} : { guests: { most, socket: `${runDir}/join.sock` } };
}

/** Service ports that something leads to, by `portKey`. */
function listUsedPorts({ requests }: Wishes, { usedPools }: Routing): ReadonlySet<string> {
  const targets = requests.flatMap(({ name, target }) => (usedPools.has(name) ? (target ?? []) : []));
  return new Set(targets.map(({ service, port }) => portKey(service, port)));
}

function selectRendered(settings: RenderedTls): RenderedTls {
  const { protocols, ciphers, ciphersuites, curves, preferServerCiphers, strictSni, ocspStapling } = settings;
  return { protocols, ciphers, ciphersuites, curves, preferServerCiphers, strictSni, ocspStapling };
}

function describeHitch(
  tls: Tls,
  { tcp, passthrough, table, listening }: Routing,
  settings: ModelSettings,
  report: Report,
) {
  const { certificates, defaultCertificate, served, hosts } = tls;
  const has = (host: string) => tcp.winners.has(host) || passthrough.winners.has(host);
  return {
    frontends: listening.frontends,
    front: listening.front,
    relayed: listening.relayed,
    tls: selectRendered(settings.tls ?? DEFAULT_TLS_SETTINGS),
    ocspDir: `${settings.runDir}/ocsp`,
    workers: settings.workers,
    backendSocket: `${settings.runDir}/balance.sock`,
    certDir: `${settings.runDir}/certs`,
    alpn: chooseAlpn(settings, hosts, { has }, table, report),
    certificates,
    defaultCertificate,
    served: served.hosts,
  };
}
