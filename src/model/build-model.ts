// SPDX-License-Identifier: Apache-2.0
/** The whole rebuild: store in, configuration, statuses and problems out. No I/O, no clock. */
import type { V1Ingress } from "@kubernetes/client-node";
import { createBackends, type PoolRequest } from "./backends.ts";
import { enforceHostOwnership } from "./host-ownership.ts";
import { selectIngresses } from "./ingress-classes.ts";
import { PoolBuilder } from "./pools.ts";
import { collectProblems, type Report } from "./problems.ts";
import { compareText, keyOf } from "./refs.ts";
import { ANY_HOST, collectRoutes, type HostRoutes } from "./routes.ts";
import { Stage } from "./stage.ts";
import { buildStatuses } from "./statuses.ts";
import { TlsBuilder } from "./tls-builder.ts";
import type {
  IngressStatus,
  Listener,
  ModelInput,
  ModelOutput,
  ModelSettings,
  Route,
  Store,
} from "./types.ts";

const HTTPS = "https";
const HTTP = "http";

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
  const routing = new Stage<Routing>();
  const tls = new TlsBuilder();
  const statuses = new Stage<readonly IngressStatus[]>();
  const pools = new PoolBuilder();

  return ({ store, settings, fallbackCertificate, now }) => {
    const { report, sorted } = collectProblems();
    const ingresses = selection.run([store.ingresses, store.ingressClasses, settings], report, (found) =>
      enforceHostOwnership(selectIngresses(store, settings), settings.hostOwnership, found),
    );
    const { hostRoutes, routes, used, requests } = routing.run([ingresses, store.services], report, (found) =>
      route(ingresses, store.services, found),
    );
    return {
      ir: {
        hitch: tls.build(ingresses, { store, settings, fallbackCertificate, now }, report),
        balance: {
          workers: settings.workers,
          controlSocket: `${settings.runDir}/control.sock`,
          graceSeconds: settings.shutdownGraceSeconds,
          listeners: buildListeners(settings),
          pools: pools.build(requests, used, store.endpointSlices, report),
          routes,
        },
      },
      statuses: statuses.run([ingresses, hostRoutes, settings], report, () =>
        buildStatuses(ingresses, hostRoutes, settings).toSorted((a, b) =>
          compareText(keyOf(a.ref), keyOf(b.ref)),
        ),
      ),
      problems: sorted(),
    };
  };
}

interface Routing {
  readonly hostRoutes: HostRoutes;
  readonly routes: readonly Route[];
  /** Names of the pools that routes lead to. */
  readonly used: ReadonlySet<string>;
  readonly requests: readonly PoolRequest[];
}

function route(ingresses: readonly V1Ingress[], services: Store["services"], report: Report): Routing {
  const backends = createBackends(services, report);
  const hostRoutes = collectRoutes(ingresses, backends, report);
  const routes = buildRoutes(hostRoutes);
  return {
    hostRoutes,
    routes,
    used: new Set(routes.map(({ pool }) => pool)),
    requests: backends.requests(),
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
