// SPDX-License-Identifier: Apache-2.0
/** The metrics of docs and dashboards; names are part of what users rely on. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ReloadReport } from "../apply/applier.ts";
import type { Certificate, Problem } from "../model/types.ts";
import { ForeignHistogram } from "./foreign-histogram.ts";

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(version: string) {
  const registry = new Registry();
  const registers = [registry];
  const buildInfo = new Gauge({
    name: "evener_build_info",
    help: "Always 1; the labels tell what runs.",
    labelNames: ["version", "node"],
    registers,
  });
  buildInfo.set({ version, node: process.version }, 1);
  return {
    registry,
    configHash: new Gauge({
      name: "evener_config_hash",
      help: "First 48 bits of the SHA-256 of the configuration that is live.",
      registers,
    }),
    lastReloadSuccessful: new Gauge({
      name: "evener_config_last_reload_successful",
      help: "1 when the newest configuration is live, 0 when an older one still serves.",
      registers,
    }),
    lastReloadTimestamp: new Gauge({
      name: "evener_config_last_reload_successful_timestamp_seconds",
      help: "When a configuration last went live.",
      registers,
    }),
    reloads: new Counter({
      name: "evener_reloads_total",
      help: "Reloads by child, reason and result.",
      labelNames: ["child", "reason", "result"],
      registers,
    }),
    syncDuration: new Histogram({
      name: "evener_sync_duration_seconds",
      help: "Time from the start of a rebuild until its result is live.",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    certificateExpiry: new Gauge({
      name: "evener_ssl_expire_time_seconds",
      help: "When the certificate of this host expires.",
      labelNames: ["host", "namespace", "secret_name"],
      registers,
    }),
    certificateInfo: new Gauge({
      name: "evener_ssl_certificate_info",
      help: "Always 1; one per host and certificate.",
      labelNames: ["host", "namespace", "secret_name", "id"],
      registers,
    }),
    problems: new Gauge({
      name: "evener_problems",
      help: "Problems that exist now, by kind of the object and reason.",
      labelNames: ["kind", "reason"],
      registers,
    }),
    childRestarts: new Counter({
      name: "evener_child_restarts_total",
      help: "How often a child ended and had to be started again.",
      labelNames: ["child"],
      registers,
    }),
    hitchGenerations: new Gauge({
      name: "evener_hitch_generations",
      help: "Generations of Hitch workers: 1, and one for each older one that still has connections.",
      registers,
    }),
    connectionsActive: new Gauge({
      name: "evener_connections_active",
      help: "Connections open now, by listener.",
      labelNames: ["listener"],
      registers,
    }),
    connections: new Counter({
      name: "evener_connections_total",
      help: "Connections accepted, by listener.",
      labelNames: ["listener"],
      registers,
    }),
    connectionsRefused: new Counter({
      name: "evener_connections_refused_total",
      help: "Connections closed without reaching an endpoint, by listener and reason.",
      labelNames: ["listener", "reason"],
      registers,
    }),
    bytes: new Counter({
      name: "evener_bytes_total",
      help: "Bytes relayed; in came from clients, out from endpoints.",
      labelNames: ["direction"],
      registers,
    }),
    connectFailures: new Counter({
      name: "evener_endpoint_connect_failures_total",
      help: "Connections to an endpoint that could not be made.",
      labelNames: ["pool", "endpoint"],
      registers,
    }),
    endpointUp: new Gauge({
      name: "evener_endpoint_up",
      help: "0 when the connections made to this endpoint since the last scrape with any all failed, else 1.",
      labelNames: ["pool", "endpoint"],
      registers,
    }),
    leaderElectionStatus: new Gauge({
      name: "evener_leader_election_status",
      help: "1 while this replica leads, 0 while it does not; absent without a cluster.",
      labelNames: ["name"],
      registers,
    }),
    endpointRequests: new Counter({
      name: "evener_endpoint_requests_total",
      help: "HTTP requests passed to an endpoint.",
      labelNames: ["pool", "endpoint"],
      registers,
    }),
    poolQueued: new Gauge({
      name: "evener_pool_queued",
      help: "Connections or requests that wait for a place in a full pool.",
      labelNames: ["pool"],
      registers,
    }),
    poolRefused: new Counter({
      name: "evener_pool_refused_total",
      help: "Connections or requests refused for a limit of their pool (reason limit), or after waiting for a place (timeout).",
      labelNames: ["pool", "reason"],
      registers,
    }),
    poolResponses: new Counter({
      name: "evener_pool_http_responses_total",
      help: "Answers to requests for a pool, by class of status.",
      labelNames: ["pool", "class"],
      registers,
    }),
    httpRequests: new Counter({
      name: "evener_http_requests_total",
      help: "HTTP requests, by the status they were answered with.",
      labelNames: ["code"],
      registers,
    }),
    httpRequestDuration: new ForeignHistogram({
      name: "evener_http_request_duration_seconds",
      help: "How long requests took until their answers were complete.",
      registers,
    }),
  };
}

export function recordReload(metrics: Metrics, report: ReloadReport): void {
  const { child, reason, result } = report;
  metrics.reloads.inc({ child, reason, result });
}

export function recordProblems(metrics: Metrics, problems: readonly Problem[]): void {
  metrics.problems.reset();
  for (const { ref, reason } of problems) metrics.problems.inc({ kind: ref.kind, reason });
}

export function recordCertificates(metrics: Metrics, certificates: readonly Certificate[]): void {
  metrics.certificateExpiry.reset();
  metrics.certificateInfo.reset();
  for (const { id, hosts, notAfter, source } of certificates) {
    const expiry = Date.parse(notAfter) / 1000;
    for (const host of hosts.length > 0 ? hosts : ["*"]) {
      const labels = { host, namespace: source?.namespace ?? "", secret_name: source?.name ?? "" };
      metrics.certificateExpiry.set(labels, expiry);
      metrics.certificateInfo.set({ ...labels, id }, 1);
    }
  }
}

/** Prometheus values are doubles: 48 bits of the hash fit without loss. */
export function hashToNumber(hex: string): number {
  return Number.parseInt(hex.slice(0, 12), 16);
}
