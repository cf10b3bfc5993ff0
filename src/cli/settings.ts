// SPDX-License-Identifier: Apache-2.0
/** Flags and EVENER_ environment → frozen settings. The only place that reads either. */
import { availableParallelism, hostname } from "node:os";
import type { Command } from "commander";
import type { PageSettings } from "../inspect/server.ts";
import { isDnsLabel } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import { HOST_OWNERSHIPS, type HostOwnership, type ModelSettings } from "../model/types.ts";
import { SECRET_MODES, type SecretMode } from "../source/kube/scopes.ts";
import { engineFlags, type RawEngineOptions, toEngineSettings } from "./engine-flags.ts";
import {
  addAll,
  flag,
  listFlag,
  parseAddress,
  parseBoolean,
  parseClassName,
  parseController,
  parseNamespace,
  parseObjectName,
  parsePort,
  parseRunDir,
  parseSeconds,
  parseSource,
  parseWorkers,
  parseZone,
  SettingsError,
  type SourceSetting,
} from "./flags.ts";
import { httpFlags, type RawHttpOptions, toHttpSettings } from "./http-flags.ts";
import { inspectionFlags, type RawInspectionOptions, toPageSettings } from "./inspection-flags.ts";
import { type RawTlsOptions, tlsFlags, toTlsSettings } from "./tls-flags.ts";

export { SettingsError };

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export const LOG_FORMATS = ["json", "text"] as const;

export interface RunSettings {
  readonly source: SourceSetting;
  readonly kubeconfig?: string;
  readonly secrets: SecretMode;
  /** `namespace/name` of the Service whose addresses go into statuses. */
  readonly publishService?: string;
  readonly electionId: string;
  /** Whether the last replica takes its addresses out of the statuses when it ends. */
  readonly updateStatusOnShutdown: boolean;
  /** Who we are in the cluster; the namespace is unknown outside of a pod. */
  readonly pod: { readonly name: string; readonly namespace?: string };
  /** Between not being ready any more and closing the ports. */
  readonly shutdownDelayMs: number;
  readonly healthzPort: number;
  /** Absent: there is none. */
  readonly page?: PageSettings;
  /** Shortest time between two reloads of Hitch. */
  readonly reloadIntervalMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly model: ModelSettings;
}

/** What commander hands over after every value went through its parser below. */
interface RawOptions extends RawHttpOptions, RawTlsOptions, RawEngineOptions, RawInspectionOptions {
  readonly source: SourceSetting;
  readonly kubeconfig?: string;
  readonly secrets: SecretMode;
  readonly ingressClass: string;
  readonly controllerClass: string;
  readonly watchIngressWithoutClass: boolean;
  readonly watchNamespace: readonly string[];
  readonly defaultSslCertificate?: string;
  readonly publishService?: string;
  readonly publishStatusAddress: readonly string[];
  readonly electionId: string;
  readonly updateStatusOnShutdown: boolean;
  readonly hostOwnership: HostOwnership;
  readonly zone?: string;
  readonly shutdownDelay?: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly healthzPort: number;
  readonly runDir: string;
  readonly workers: number;
  readonly separateProcesses: boolean;
  readonly reloadInterval: number;
  readonly shutdownGracePeriod: number;
  readonly logLevel: RunSettings["logLevel"];
  readonly logFormat: RunSettings["logFormat"];
}

/** Flags that change what is rendered: `run` and `render` share them. */
export function addModelOptions(command: Command, defaultWorkers: number, inWords?: string): Command {
  return addAll(command, [
    flag("--ingress-class <name>", "IngressClass name that is ours", parseClassName).default("evener"),
    flag("--controller-class <name>", "spec.controller of our IngressClasses", parseController).default(
      "evener.io/ingress-controller",
    ),
    flag("--watch-ingress-without-class [bool]", "also take Ingresses that name no class", parseBoolean)
      .default(false)
      .preset(true),
    listFlag("--watch-namespace <name>", "only these namespaces (repeatable)", parseNamespace),
    flag("--default-ssl-certificate <ns/name>", "Secret of the default certificate", parseObjectName),
    listFlag("--publish-status-address <address>", "address for statuses (repeatable)", parseAddress),
    flag(
      "--host-ownership <unit>",
      "what belongs to the oldest Ingress: a path, or to its namespace the whole host",
    )
      .choices(HOST_OWNERSHIPS)
      .default("path"),
    flag(
      "--zone <name>",
      "topology zone we run in: its endpoints come first where a Service asks for that",
      parseZone,
    ),
    flag("--http-port <port>", "plain HTTP port", parsePort).default(8080),
    flag("--https-port <port>", "TLS port", parsePort).default(8443),
    flag("--run-dir <dir>", "where configuration, keys and sockets live", parseRunDir).default("/run/evener"),
    flag("--workers <n>", "worker processes of Hitch and Balance each", parseWorkers).default(
      defaultWorkers,
      inWords,
    ),
    flag(
      "--separate-processes [bool]",
      "HTTP is never parsed where private keys are: Hitch's workers reach Balance over a socket only, which costs CPU",
      parseBoolean,
    )
      .default(false)
      .preset(true),
    flag(
      "--shutdown-grace-period <time>",
      "how long open connections may go on at the end",
      parseSeconds,
    ).default(30),
    ...httpFlags(),
    ...tlsFlags(),
    ...engineFlags(),
  ]);
}

export function addRunOptions(command: Command): Command {
  addModelOptions(command, Math.min(availableParallelism(), 64), "the number of cores, at most 64");
  return addAll(command, [
    flag("--source <source>", "kube, or dir:PATH for manifests in a directory", parseSource).default(
      { kind: "kube" } satisfies SourceSetting,
      "kube",
    ),
    flag("--kubeconfig <file>", "how to reach the API server (default: in-cluster, then ~/.kube/config)"),
    flag("--secrets <which>", "all Secrets of type kubernetes.io/tls, or just those that Ingresses name")
      .choices(SECRET_MODES)
      .default("tls"),
    flag("--publish-service <ns/name>", "Service whose addresses go into statuses", parseObjectName),
    flag("--election-id <name>", "name of the Lease for leader election", parseClassName).default(
      "evener-leader",
    ),
    flag(
      "--update-status-on-shutdown [bool]",
      "the last replica takes its addresses out of the statuses when it ends",
      parseBoolean,
    )
      .default(true)
      .preset(true),
    flag(
      "--shutdown-delay <time>",
      "how long new connections are still taken at the end, while endpoints are withdrawn (default: 5s, 0s with a directory)",
      parseSeconds,
    ),
    flag("--healthz-port <port>", "port of /healthz, /readyz, /metrics and /debug", parsePort).default(10254),
    ...inspectionFlags(),
    flag("--reload-interval <time>", "shortest time between reloads of Hitch", parseSeconds).default(1),
    flag("--log-level <level>", "least level that is logged").choices(LOG_LEVELS).default("info"),
    flag("--log-format <format>", "log lines as JSON or as text").choices(LOG_FORMATS).default("json"),
  ]);
}

/** Joins and freezes the options; throws SettingsError when they contradict each other. */
export function toModelSettings(
  raw: Omit<RawOptions, "source" | "secrets" | keyof RawInspectionOptions>,
): ModelSettings {
  if (raw.httpPort === raw.httpsPort) {
    throw new SettingsError(`--http-port and --https-port are both ${raw.httpPort}`);
  }
  return Object.freeze({
    ingressClass: raw.ingressClass,
    controllerClass: raw.controllerClass,
    watchIngressWithoutClass: raw.watchIngressWithoutClass,
    watchNamespaces: Object.freeze([...raw.watchNamespace]),
    ...(raw.defaultSslCertificate === undefined ? {} : { defaultSslCertificate: raw.defaultSslCertificate }),
    publishStatusAddresses: Object.freeze([...raw.publishStatusAddress]),
    hostOwnership: raw.hostOwnership,
    // A pod whose node has no zone gets the variable without a value.
    ...(raw.zone === undefined || raw.zone === "" ? {} : { zone: raw.zone }),
    httpPort: raw.httpPort,
    httpsPort: raw.httpsPort,
    workers: raw.workers,
    ...(raw.separateProcesses ? { separateProcesses: true } : {}),
    runDir: raw.runDir,
    shutdownGraceSeconds: raw.shutdownGracePeriod,
    ...toHttpSettings(raw),
    ...toTlsSettings(raw, [raw.httpPort, raw.httpsPort]),
    ...toEngineSettings(raw),
  });
}

export function toRunSettings(command: Command): RunSettings {
  const raw = command.opts<RawOptions>();
  const model = toModelSettings(raw);
  const { tls } = model;
  const ports = [raw.httpPort, raw.httpsPort, raw.internalTlsPort, ...(tls?.extraTlsPorts ?? [])];
  const taken = [...ports, ...(tls?.tcpServices ?? []).map(({ port }) => port)];
  if (taken.includes(raw.healthzPort)) {
    throw new SettingsError(`--healthz-port ${raw.healthzPort} is taken by another listener`);
  }
  const page = toPageSettings(raw);
  if (page !== undefined && [...taken, raw.healthzPort].includes(page.port)) {
    throw new SettingsError(`--inspection-port ${page.port} is taken by another listener`);
  }
  const reserved = [raw.healthzPort, ...(page === undefined ? [] : [page.port])];
  return Object.freeze({
    source: Object.freeze(raw.source),
    ...(raw.kubeconfig === undefined ? {} : { kubeconfig: raw.kubeconfig }),
    secrets: raw.secrets,
    ...(raw.publishService === undefined ? {} : { publishService: raw.publishService }),
    electionId: raw.electionId,
    updateStatusOnShutdown: raw.updateStatusOnShutdown,
    pod: Object.freeze(readPod(process.env)),
    shutdownDelayMs: Math.round((raw.shutdownDelay ?? (raw.source.kind === "kube" ? 5 : 0)) * 1000),
    healthzPort: raw.healthzPort,
    ...(page === undefined ? {} : { page }),
    reloadIntervalMs: Math.round(raw.reloadInterval * 1000),
    logLevel: raw.logLevel,
    logFormat: raw.logFormat,
    model: Object.freeze({ ...model, reservedPorts: Object.freeze(reserved) }),
  });
}

/** The downward API's usual names; a pod's host name is its own name unless it uses the host's network. */
function readPod({ POD_NAME, POD_NAMESPACE }: NodeJS.ProcessEnv): RunSettings["pod"] {
  if (POD_NAMESPACE !== undefined && !isDnsLabel(POD_NAMESPACE)) {
    throw new SettingsError(`POD_NAMESPACE ${quote(POD_NAMESPACE)} is no namespace`);
  }
  const namespace = POD_NAMESPACE === undefined ? {} : { namespace: POD_NAMESPACE };
  return { name: POD_NAME ?? hostname(), ...namespace };
}
