// SPDX-License-Identifier: Apache-2.0
/** Ingress backends → pools. A rule stays even when nothing can serve it: its pool is empty then. */
import type { V1IngressBackend, V1Service, V1ServicePort } from "@kubernetes/client-node";
import { DEFAULT_TIMES } from "./annotations/options.ts";
import { isDnsLabel, isPortName, isPortNumber } from "./names.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { compareText, formatRef, refOf } from "./refs.ts";
import type { ObjectRef, PoolTimes, Store } from "./types.ts";

/** A Service port that some Ingress asks for. Its endpoints are looked up later: they change far more often than this. */
export interface PoolRequest {
  /** `namespace/service:port`, and `/tCONNECT-rRESPONSE` where an Ingress asks for other times. */
  readonly name: string;
  readonly times: PoolTimes;
  /** Absent when the Service can't serve: the pool stays empty. */
  readonly target?: { readonly service: V1Service; readonly port: V1ServicePort };
}

export interface Backends {
  /**
   * Name of the pool for a backend, or undefined when the backend says nothing usable. Whatever is wrong is
   * reported on the Ingress that asks, at `field`.
   */
  readonly resolve: (
    backend: V1IngressBackend,
    ingress: ObjectRef,
    field: string,
    times: PoolTimes,
  ) => string | undefined;
  /** Pools asked for so far, sorted by name. */
  readonly requests: () => readonly PoolRequest[];
}

/** What becomes of traffic for a pool without endpoints. */
export const UNSERVED = "requests get 503, TCP-lane connections are closed";

interface Resolved {
  readonly request: PoolRequest;
  readonly fault?: { readonly reason: string; readonly message: string };
}

export function createBackends(services: Store["services"], report: Report): Backends {
  const resolved = new Map<string, Resolved>();

  function resolvePort(namespace: string, name: string, wanted: string | number, times: PoolTimes): Resolved {
    const key = `${namespace}/${name}:${wanted}`;
    const service = services.get(`${namespace}/${name}`);
    const port = service === undefined ? undefined : findPort(service, wanted);
    // A port by number and the same one by name share a pool.
    const plainName = port === undefined ? key : `${namespace}/${name}:${port.port}`;
    const poolName = `${plainName}${describeTimes(times)}`;
    const known = resolved.get(poolName);
    if (known !== undefined) return known;
    const fault = checkService(service, port, `${namespace}/${name}`, wanted);
    const canServe = fault === undefined && service !== undefined && port !== undefined;
    const result: Resolved = {
      request: { name: poolName, times, ...(canServe ? { target: { service, port } } : {}) },
      ...(fault === undefined ? {} : { fault }),
    };
    resolved.set(poolName, result);
    return result;
  }

  return {
    resolve(backend, ingress, field, times) {
      const { service } = backend;
      if (service === undefined || backend.resource !== undefined) {
        const what = backend.resource === undefined ? "names no Service" : "is a resource, not a Service";
        report(ingress, "error", "BackendNotSupported", `the backend ${what}; it is left out`, field);
        return undefined;
      }
      const wanted = service.port?.name ?? service.port?.number;
      const where = `${field}.service`;
      if (!isDnsLabel(service.name) || !isDnsLabel(ingress.namespace ?? "")) {
        const message = `${quote(service.name)} is no Service name; the backend is left out`;
        report(ingress, "error", "InvalidBackend", message, `${where}.name`);
        return undefined;
      }
      if (wanted === undefined || !(typeof wanted === "string" ? isPortName(wanted) : isPortNumber(wanted))) {
        const what = wanted === undefined ? "names no port" : `has ${quote(wanted)}, which is no port`;
        report(ingress, "error", "InvalidBackend", `the backend ${what}; it is left out`, `${where}.port`);
        return undefined;
      }
      const { request, fault } = resolvePort(ingress.namespace ?? "", service.name, wanted, times);
      if (fault !== undefined) report(ingress, "error", fault.reason, fault.message, `${field}.service`);
      return request.name;
    },
    requests: () =>
      [...resolved.values()].map(({ request }) => request).sort((a, b) => compareText(a.name, b.name)),
  };
}

/** An Ingress with times of its own has a pool of its own. */
function describeTimes({ connectSeconds, responseSeconds }: PoolTimes): string {
  const isUsual =
    connectSeconds === DEFAULT_TIMES.connectSeconds && responseSeconds === DEFAULT_TIMES.responseSeconds;
  return isUsual ? "" : `/t${connectSeconds}-r${responseSeconds}`;
}

function findPort(service: V1Service, wanted: string | number): V1ServicePort | undefined {
  return service.spec?.ports?.find(
    (port) =>
      (port.protocol ?? "TCP") === "TCP" &&
      isPortNumber(port.port) &&
      (typeof wanted === "string" ? port.name === wanted : port.port === wanted),
  );
}

function checkService(
  service: V1Service | undefined,
  port: V1ServicePort | undefined,
  key: string,
  wanted: string | number,
): Resolved["fault"] {
  if (service === undefined) {
    return { reason: "ServiceNotFound", message: `Service ${key} does not exist; ${UNSERVED}` };
  }
  const name = formatRef(refOf("Service", service));
  if (service.spec?.type === "ExternalName") {
    const why = "is of type ExternalName, which is not supported";
    return { reason: "ExternalNameNotSupported", message: `${name} ${why}; ${UNSERVED}` };
  }
  if (port === undefined) {
    return {
      reason: "ServicePortNotFound",
      message: `${name} has no TCP port ${quote(wanted)}; ${UNSERVED}`,
    };
  }
  return undefined;
}
