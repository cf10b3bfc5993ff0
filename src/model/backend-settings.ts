// SPDX-License-Identifier: Apache-2.0
/** What may be said about the pool of a Service port, by whom, and who wins. */

export type Strategy = "round-robin" | "least-connections" | "power-of-two" | "source-hash" | "first";

/** PROXY header to the pods. */
export type SendProxy = "none" | "v1" | "v2" | "v2-ssl";

/** Consecutive failed connects take an endpoint out for `baseSeconds`, longer each time in a row, up to `maxSeconds`. */
export interface Ejection {
  /** 0: never. */
  readonly failures: number;
  readonly baseSeconds: number;
  readonly maxSeconds: number;
}

export type HealthCheck =
  | { readonly kind: "tcp" }
  | { readonly kind: "http"; readonly path: string; readonly host?: string };

export interface CheckTiming {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** Good answers in a row that bring an endpoint back. */
  readonly rise: number;
  /** Bad ones in a row that take it out. */
  readonly fall: number;
}

/** A Service of the same namespace that is used when those before it can't be reached. */
export interface BackupService {
  readonly service: string;
  readonly port: string | number;
}

/** Everything has a default. Frozen. */
export interface BackendSettings {
  readonly strategy: Strategy;
  /** How long an endpoint that is new takes to get its whole share; 0: none. */
  readonly slowStartSeconds: number;
  /** For connecting to one endpoint. */
  readonly connectSeconds: number;
  /** HTTP lane: how long the pod may be silent while it is to answer. */
  readonly responseSeconds: number;
  /** TCP lane: no byte in either direction. */
  readonly idleSeconds: number;
  /** At a time, for the whole pool; 0: no limit. In the HTTP lane these count requests. */
  readonly maxConnections: number;
  readonly maxConnectionsPerEndpoint: number;
  readonly maxConnectionsPerClient: number;
  /** How many may wait for a place; 0: none. */
  readonly queue: number;
  readonly queueSeconds: number;
  readonly sendProxy: SendProxy;
  readonly ejection: Ejection;
  readonly check: HealthCheck | undefined;
  readonly checkTiming: CheckTiming;
  /** In the order they are tried. */
  readonly backups: readonly BackupService[];
  /** Endpoints in our own zone before others. */
  readonly preferZone: boolean;
  /** Connect to the Service's cluster IP instead of its endpoints. */
  readonly clusterIp: boolean;
}

export const DEFAULT_BACKEND_SETTINGS: BackendSettings = Object.freeze({
  strategy: "round-robin",
  slowStartSeconds: 0,
  connectSeconds: 5,
  responseSeconds: 60,
  // Long enough for quiet protocols, short enough that a client which vanished is forgotten some day.
  idleSeconds: 3600,
  maxConnections: 0,
  maxConnectionsPerEndpoint: 0,
  maxConnectionsPerClient: 0,
  queue: 0,
  queueSeconds: 5,
  sendProxy: "none",
  ejection: Object.freeze({ failures: 3, baseSeconds: 2, maxSeconds: 60 }),
  check: undefined,
  checkTiming: Object.freeze({ intervalSeconds: 5, timeoutSeconds: 2, rise: 2, fall: 3 }),
  backups: Object.freeze([]),
  preferZone: false,
  clusterIp: false,
});

/** Settings whose members are said one by one. */
type Grouped = "ejection" | "checkTiming";

/**
 * What one object says: an Ingress, a Service, a policy, a class. A field that is absent is left to the others; `check` that is there
 * and undefined switches checks off.
 */
export type SettingsLayer = {
  readonly [K in keyof BackendSettings]?: K extends Grouped
    ? Partial<BackendSettings[K]>
    : BackendSettings[K];
};

/**
 * Joins what several objects say. The later layer wins, field by field: class, Ingress, Service, policy in this order. An object without
 * a say is given as undefined or `{}`; when nobody has one the result is `DEFAULT_BACKEND_SETTINGS` itself. Who makes the shortest ejection
 * longer than the longest makes both as long.
 */
export function mergeSettings(...layers: readonly (SettingsLayer | undefined)[]): BackendSettings {
  let merged = DEFAULT_BACKEND_SETTINGS;
  for (const layer of layers) {
    if (layer === undefined || Object.keys(layer).length === 0) continue;
    const { ejection, checkTiming, ...plain } = layer;
    merged = {
      ...merged,
      ...plain,
      ejection: ejection === undefined ? merged.ejection : joinEjection(merged.ejection, ejection),
      checkTiming:
        checkTiming === undefined
          ? merged.checkTiming
          : Object.freeze({ ...merged.checkTiming, ...checkTiming }),
    };
  }
  return Object.freeze(merged);
}

function joinEjection(before: Ejection, said: Partial<Ejection>): Ejection {
  const joined = { ...before, ...said };
  return Object.freeze({ ...joined, maxSeconds: Math.max(joined.baseSeconds, joined.maxSeconds) });
}
