// SPDX-License-Identifier: Apache-2.0
/**
 * Whole ports that lead to one Service port: those of the class first, then what Ingresses ask for, the oldest first. A port is
 * plain or with TLS; with TLS the server name may choose among several.
 */
import type { V1Ingress } from "@kubernetes/client-node";
import { NOTHING_SAID } from "./annotations/backend-layer.ts";
import type { Backends } from "./backends.ts";
import type { Claim } from "./claims.ts";
import { ANY_HOST, wildcardOf } from "./names.ts";
import type { Report } from "./problems.ts";
import { formatRef } from "./refs.ts";
import type { TcpService } from "./tls-settings.ts";
import type { ModelSettings, ObjectRef } from "./types.ts";

export interface TcpPort {
  readonly port: number;
  readonly tls: boolean;
  /** Pools by server name; ANY_HOST for every other. */
  readonly routes: ReadonlyMap<string, { readonly pool: string; readonly ref: ObjectRef }>;
}

/** A service of the class and the pool it leads to. */
export interface ClassService {
  readonly service: TcpService;
  readonly pool: string;
  readonly ref: ObjectRef;
}

/** The pools of the class's services; what is wrong with one is told of its Service. */
export function resolveClassServices(
  services: readonly TcpService[],
  backends: Backends,
): readonly ClassService[] {
  return services.flatMap((service) => {
    const { namespace, service: name, servicePort, port } = service;
    const ref: ObjectRef = { apiVersion: "v1", kind: "Service", namespace, name };
    const wanted = typeof servicePort === "string" ? { name: servicePort } : { number: servicePort };
    const pool = backends.resolve({ service: { name, port: wanted } }, ref, `TCP port ${port}`, NOTHING_SAID);
    return pool === undefined ? [] : [{ service, pool, ref }];
  });
}

export interface TcpPorts {
  /** Sorted by number. */
  readonly ports: readonly TcpPort[];
  readonly served: readonly Claim[];
}

export function collectTcpPorts(
  services: readonly ClassService[],
  claims: readonly Claim[],
  settings: ModelSettings,
  report: Report,
): TcpPorts {
  const ports = new Map<
    number,
    TcpPort & { readonly routes: Map<string, { pool: string; ref: ObjectRef }> }
  >();
  const served: Claim[] = [];
  const add = (
    port: number,
    tls: boolean,
    host: string,
    pool: string,
    ref: ObjectRef,
    field: string,
  ): boolean => {
    const known = ports.get(port);
    const [first] = known?.routes.values() ?? [];
    if (known !== undefined && first !== undefined && known.tls !== tls) {
      const message = `port ${port} is already served ${known.tls ? "with" : "without"} TLS by ${formatRef(first.ref)}; it is left out`;
      report(ref, "error", "TcpPortConflict", message, field);
      return false;
    }
    const winner = known?.routes.get(host);
    if (winner === undefined) {
      const entry = known ?? { port, tls, routes: new Map() };
      entry.routes.set(host, { pool, ref });
      ports.set(port, entry);
      return true;
    }
    if (winner.pool === pool) return true;
    const what = host === ANY_HOST ? `port ${port}` : `host ${host} of port ${port}`;
    const message = `${what} is already served by ${formatRef(winner.ref)} (${winner.pool}); the backend ${pool} is left out`;
    report(ref, "error", "TcpPortConflict", message, field);
    return false;
  };
  for (const { service, pool, ref } of services) {
    const { port, tls, host = ANY_HOST } = service;
    add(port, tls === "terminate", host, pool, ref, `TCP port ${port}`);
  }
  for (const claim of claims) {
    const port = claim.options.tcpPort;
    if (port === undefined || claim.pool === undefined) continue;
    const fault = findFault(claim, port, settings);
    if (fault !== undefined) {
      report(claim.ref, "error", fault.reason, fault.message, fault.field);
      continue;
    }
    const tls = claim.ingress.spec?.tls !== undefined && isWithTls(claim.ingress, claim.host);
    // Without TLS no server name is known.
    const host = tls ? claim.host : ANY_HOST;
    if (add(port, tls, host, claim.pool, claim.ref, claim.field)) served.push(claim);
  }
  return { ports: [...ports.values()].sort((a, b) => a.port - b.port), served };
}

const FIELD = "metadata.annotations[evener.io/tcp-service-port]";

function findFault({ kind, path, field }: Claim, port: number, settings: ModelSettings) {
  const allowed = settings.tcpPorts ?? [];
  if (!allowed.some(([first, last]) => first <= port && port <= last)) {
    const message = `port ${port} is not among those that --tcp-ports lets Ingresses have; it is left out`;
    return { reason: "TcpPortNotAllowed", message, field: FIELD };
  }
  const { httpPort, httpsPort, internalTlsPort, tls, reservedPorts = [] } = settings;
  if (
    [httpPort, httpsPort, internalTlsPort, ...reservedPorts, ...(tls?.extraTlsPorts ?? [])].includes(port)
  ) {
    const message = `port ${port} is taken by another listener; it is left out`;
    return { reason: "TcpPortNotAllowed", message, field: FIELD };
  }
  if (kind !== "prefix" || path !== "/") {
    const message =
      "a port leads to one Service port, by path / of type Prefix or ImplementationSpecific; this path is left out";
    return { reason: "PathNotSupported", message, field: `${field}.path` };
  }
  return undefined;
}

/** An entry without hosts is for all of them. */
function isWithTls(ingress: V1Ingress, host: string): boolean {
  const wildcard = wildcardOf(host) ?? host;
  return (ingress.spec?.tls ?? []).some(({ hosts = [] }) => {
    const names = hosts.map((name) => name.toLowerCase());
    return names.length === 0 || names.includes(host) || names.includes(wildcard);
  });
}
