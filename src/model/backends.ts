// SPDX-License-Identifier: Apache-2.0
/** Ingress backends → pools. A rule stays even when nothing can serve it: its pool is empty then. */
import type { V1IngressBackend, V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { BackendPolicies } from "./backend-policies.ts";
import type { BackendSettings, SettingsLayer } from "./backend-settings.ts";
import { isDnsLabel, isPortName, isPortNumber } from "./names.ts";
import { createSettingsReader, type Saying } from "./pool-settings.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { sortedByKey } from "./refs.ts";
import { checkService, findPort, type ServiceFault } from "./service-ports.ts";
import type { ObjectRef, PolicyLane, Store } from "./types.ts";

/** Something that endpoints can be looked up for. */
export interface Target {
  /** `namespace/name` of the Service. */
  readonly key: string;
  readonly service: V1Service;
  readonly port: V1ServicePort;
}

/** A Service port that some Ingress asks for. Its endpoints are looked up later: they change far more often than this. */
export interface PoolRequest {
  /** `namespace/service:port`, and what an Ingress asks for behind it. */
  readonly name: string;
  readonly settings: BackendSettings;
  /** Absent when the Service can't serve. */
  readonly target?: Target;
  /** In the order they are tried, after the Service itself. */
  readonly backups: readonly Target[];
}

export interface Backends {
  /**
   * Name of the pool for a backend, or undefined when the backend says nothing usable. Whatever is wrong is
   * reported on the Ingress that asks, at `field`. `said` is what the Ingress says about its pools.
   */
  readonly resolve: (
    backend: V1IngressBackend,
    ingress: ObjectRef,
    field: string,
    said: SettingsLayer,
  ) => string | undefined;
  /** The lane that the Service's policy asks for. */
  readonly laneOf: (backend: V1IngressBackend, namespace: string | undefined) => PolicyLane | undefined;
  /** Pools asked for so far, sorted by name. */
  readonly requests: () => readonly PoolRequest[];
}

/** What becomes of traffic for a pool without endpoints. */
export const UNSERVED = "requests get 503, TCP-lane connections are closed";

interface Resolved {
  readonly request: PoolRequest;
  readonly fault?: ServiceFault;
}

interface Asked {
  readonly ingress: ObjectRef;
  readonly name: string;
  readonly wanted: string | number;
  readonly said: SettingsLayer;
  readonly answer: Resolved;
}

export function createBackends(
  services: Store["services"],
  policies: BackendPolicies,
  report: Report,
): Backends {
  const resolved = new Map<string, Resolved>();
  // Paths of an Ingress mostly lead to one Service: the last answer is kept beside what it was asked for.
  let last: Asked | undefined;
  const readSettings = createSettingsReader(policies, report);

  function resolvePort(
    ingress: ObjectRef,
    name: string,
    wanted: string | number,
    said: SettingsLayer,
  ): Resolved {
    const isSame =
      last?.ingress === ingress && last.name === name && last.wanted === wanted && last.said === said;
    if (last !== undefined && isSame) return last.answer;
    const answer = findPool(ingress, name, wanted, said);
    last = { ingress, name, wanted, said, answer };
    return answer;
  }

  function findPool(
    ingress: ObjectRef,
    name: string,
    wanted: string | number,
    said: SettingsLayer,
  ): Resolved {
    const namespace = ingress.namespace ?? "";
    const key = `${namespace}/${name}`;
    const service = services.get(key);
    const port = service === undefined ? undefined : findPort(service, wanted);
    const { settings, suffix, backupsFrom } = readSettings(service, port, ingress, said);
    // Whoever names them is told what is wrong with them, also where the pool is another's, too.
    const backups = findBackups(namespace, settings, backupsFrom);
    // A port by number and the same one by name share a pool.
    const plainName = `${key}:${port === undefined ? wanted : port.port}`;
    const poolName = `${plainName}${suffix}`;
    const known = resolved.get(poolName);
    if (known !== undefined) return known;
    const then = backups.length > 0 ? "its backups serve alone" : UNSERVED;
    const fault = checkService(service, port, key, wanted, then);
    const canServe = fault === undefined && service !== undefined && port !== undefined;
    const result: Resolved = {
      request: { name: poolName, settings, backups, ...(canServe ? { target: { key, service, port } } : {}) },
      ...(fault === undefined ? {} : { fault }),
    };
    resolved.set(poolName, result);
    return result;
  }

  /** Those that can serve. */
  function findBackups(namespace: string, { backups }: BackendSettings, from: Saying): readonly Target[] {
    const found: Target[] = [];
    for (const { service: name, port: wanted } of backups) {
      const key = `${namespace}/${name}`;
      const service = services.get(key);
      const port = service === undefined ? undefined : findPort(service, wanted);
      const fault = checkService(service, port, key, wanted, "this backup is left out");
      if (fault !== undefined && from.backupsField !== undefined) {
        report(from.ref, "error", fault.reason, fault.message, from.backupsField);
      }
      if (fault === undefined && service !== undefined && port !== undefined)
        found.push({ key, service, port });
    }
    return found;
  }

  return {
    resolve(backend, ingress, field, said) {
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
      const { request, fault } = resolvePort(ingress, service.name, wanted, said);
      if (fault !== undefined) report(ingress, "error", fault.reason, fault.message, `${field}.service`);
      return request.name;
    },
    laneOf({ service: wanted }, namespace = "") {
      if (policies.isEmpty) return undefined;
      const service = services.get(`${namespace}/${wanted?.name}`);
      const port = wanted?.port?.name ?? wanted?.port?.number;
      if (service === undefined || port === undefined) return undefined;
      return policies.find(service, findPort(service, port))?.lane;
    },
    requests: () => sortedByKey(resolved).map(({ request }) => request),
  };
}
