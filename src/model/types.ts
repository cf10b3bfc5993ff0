// SPDX-License-Identifier: Apache-2.0
/** The model's vocabulary: what goes into a rebuild and what comes out of it. */
import type {
  V1ConfigMap,
  V1EndpointSlice,
  V1Ingress,
  V1IngressClass,
  V1Secret,
  V1Service,
} from "@kubernetes/client-node";
import type { BackendPolicy, ClientCertificatePolicy, TlsProfile } from "../crd/resource.ts";
import type { BackendSettings } from "./backend-settings.ts";
import type { ClientCa, ClientCertificateMode } from "./client-certificates.ts";
import type { PolicyStatus } from "./policy-status.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** Names one Kubernetes object, in problems, statuses, logs and Events. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

export type Severity = "error" | "warning";

/** Something wrong with one object. An `error` means that (part of) the object was left out. */
export interface Problem {
  readonly ref: ObjectRef;
  readonly severity: Severity;
  /** CamelCase, stable; becomes the reason of an Event and a metric label. */
  readonly reason: string;
  /** Path of the field, as kubectl would print it: `spec.rules[0].host`. */
  readonly field?: string;
  /** One sentence for the person who wrote the object. */
  readonly message: string;
}

/** Everything the sources know, by `namespace/name` (or `name` for cluster-scoped kinds). */
export interface Store {
  readonly ingresses: ReadonlyMap<string, V1Ingress>;
  readonly ingressClasses: ReadonlyMap<string, V1IngressClass>;
  readonly services: ReadonlyMap<string, V1Service>;
  readonly endpointSlices: ReadonlyMap<string, V1EndpointSlice>;
  readonly secrets: ReadonlyMap<string, V1Secret>;
  readonly configMaps: ReadonlyMap<string, V1ConfigMap>;
  readonly backendPolicies: ReadonlyMap<string, BackendPolicy>;
  readonly clientCertificatePolicies: ReadonlyMap<string, ClientCertificatePolicy>;
  readonly tlsProfiles: ReadonlyMap<string, TlsProfile>;
}

/** A certificate with its key, as Hitch reads it from one file: key, leaf, chain. */
export interface Certificate {
  /**
   * SHA-256 (hex) of `pem`; also the base name of the file. `evener render` has no generated default
   * certificate and says `default` instead.
   */
  readonly id: string;
  readonly pem: string;
  /** Host names and wildcards that Hitch will serve it for (from SAN or CN), sorted; for the default: all it has. */
  readonly hosts: readonly string[];
  readonly notAfter: string;
  /** Absent for the generated default certificate. */
  readonly source?: ObjectRef;
  /** Its clients are asked for a certificate. */
  readonly clients?: { readonly ca: ClientCa; readonly mode: ClientCertificateMode };
}

export interface Channel {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** Connections at a time; 0 means no limit. */
  readonly max: number;
}

/**
 * `http`: requests are read and routed one by one. `tcp`: connections are relayed as they are. `passthrough`: the same before TLS, which is
 * the pod's. `port`: all connections to a port are relayed.
 */
export type Lane = "http" | "tcp" | "passthrough" | "port";

/** What a BackendPolicy may ask for; the other lanes are about ports and about TLS. */
export type PolicyLane = Extract<Lane, "http" | "tcp">;

export interface Pool {
  /** `namespace/service:port`, and what an Ingress asks for behind it where that is something else (`pool-names.ts`). */
  readonly name: string;
  readonly settings: BackendSettings;
  /** Tried in order: endpoints, those of other zones, those of backup Services. None is empty, no endpoint is in two. */
  readonly groups: readonly (readonly Channel[])[];
  /** How long connecting is tried again while all refuse; absent: not. */
  readonly retrySeconds?: number;
}

export interface Route {
  /** Name of the listener. */
  readonly listener: string;
  /** `a.example`, `*.example` or `*`. */
  readonly host: string;
  /** Only for connections to this port, as the PROXY header says; such connections have no other routes. */
  readonly port?: number;
  readonly pool: string;
}

export interface Listener {
  readonly name: string;
  /** As in balance.conf: `tcp:[::]:8080` or `unix:PATH`. */
  readonly address: string;
  readonly proxy: "none" | "v1" | "v2" | "any";
  /** Only trusted peers speak PROXY; the others come without. */
  readonly trustedOnly: boolean;
  /** HTTP lane: whose rules the requests follow. */
  readonly table?: string;
  /** Clients speak TLS, which is passed on: routes go by the server name in the ClientHello. */
  readonly sni?: boolean;
}

/** A TCP port that a process of upstream Balance serves. */
export interface UpstreamService {
  readonly file: string;
  readonly port: number;
  /** For people. */
  readonly pool: string;
  readonly connectSeconds: number;
  readonly idleSeconds: number;
  /** Choose by client address. */
  readonly hash: boolean;
  readonly groups: Pool["groups"];
}

export type RedirectCode = 301 | 302 | 303 | 307 | 308;

export interface Redirect {
  readonly code: RedirectCode;
  /** An http or https URL, or an absolute path. */
  readonly location: string;
}

/** How requests are treated before, or instead of, being passed on. */
export interface RuleOptions {
  readonly sslRedirect: boolean;
  readonly redirect: Redirect | undefined;
  readonly rewrite: string | undefined;
  /** Ranges in canonical form; empty: everybody. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Requests at a time per client address; 0: no limit. */
  readonly limitConnections: number;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** Value of Strict-Transport-Security. */
  readonly hsts: string | undefined;
  /** The host asks for client certificates. */
  readonly clientCertificate:
    | { readonly mode: ClientCertificateMode; readonly certificate: boolean }
    | undefined;
}

export type PathKind = "exact" | "prefix";

export interface Rule {
  /** `a.example`, `*.example` or `*`. */
  readonly host: string;
  readonly kind: PathKind;
  /** In normal form; a prefix other than `/` has no slash at its end. */
  readonly path: string;
  /** Absent where every request is redirected. */
  readonly pool: string | undefined;
  readonly options: RuleOptions;
}

/** What requests follow: the best host has the say, in it the best path, else the default. */
export interface HttpTable {
  readonly name: string;
  /** Sorted by host and path. */
  readonly rules: readonly Rule[];
  readonly fallback: { readonly pool: string; readonly options: RuleOptions } | undefined;
}

/** Settings of the HTTP lane as a whole. */
export interface HttpSettings {
  readonly headTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly tunnelTimeoutSeconds: number;
  /** As clients see them. */
  readonly publicHttpPort: number;
  readonly publicHttpsPort: number;
}

export type AlpnProtocol = "h2" | "http/1.1" | "postgresql";

export interface ServedHost {
  readonly host: string;
  /** `id` of the certificate that a handshake with this server name shows. */
  readonly certificate: string;
}

/** What of the settings stands in hitch.conf by itself. */
export type RenderedTls = Pick<
  TlsSettings,
  "protocols" | "ciphers" | "ciphersuites" | "curves" | "preferServerCiphers" | "strictSni" | "ocspStapling"
>;

/** What Hitch and Balance shall do. Everything is sorted; equal objects give equal IR. */
export interface Ir {
  readonly hitch: {
    readonly frontends: readonly { readonly host: "*" | "127.0.0.1"; readonly port: number }[];
    /** Balance takes the TLS ports and hands connections on, behind a PROXY header. */
    readonly front: boolean;
    /** Hosts whose handshakes don't come here. */
    readonly relayed: readonly string[];
    readonly tls: RenderedTls;
    /** Where Hitch keeps OCSP responses. */
    readonly ocspDir: string;
    readonly workers: number;
    readonly backendSocket: string;
    readonly certDir: string;
    /** Offered to clients, the preferred one first. */
    readonly alpn: readonly AlpnProtocol[];
    /** In the order of hitch.conf: of two for one host name, the one further down is served. */
    readonly certificates: readonly Certificate[];
    /** Listed last, which makes it Hitch's default; for a name that another certificate has too, the other wins. */
    readonly defaultCertificate: Certificate;
    /** What Hitch will serve for each host with TLS, sorted by host; what a handshake must show. */
    readonly served?: readonly ServedHost[];
  };
  readonly balance: {
    readonly workers: number;
    /** Hitch's workers may be workers of Balance, too; absent: they reach it over `backendSocket` only. */
    readonly guests?: { readonly most: number; readonly socket: string };
    readonly controlSocket: string;
    readonly graceSeconds: number;
    /** Peers whose PROXY header and X-Forwarded-* fields are believed. */
    readonly trust: readonly string[];
    readonly http: HttpSettings;
    /** `off`, `stdout` or a path. */
    readonly accessLog: string;
    readonly listeners: readonly Listener[];
    readonly pools: readonly Pool[];
    /** TCP lane. */
    readonly routes: readonly Route[];
    /** HTTP lane. */
    readonly tables: readonly HttpTable[];
    /** Processes beside it. */
    readonly upstream?: readonly UpstreamService[];
  };
}

/** What will be written to the object's status. */
export interface IngressStatus {
  readonly ref: ObjectRef;
  readonly loadBalancer: readonly { readonly ip?: string; readonly hostname?: string }[];
  /** Hosts this Ingress is served for; empty when nothing of it is. */
  readonly hosts: readonly string[];
}

/** What the oldest Ingress that names a host and path owns: that, or the whole host for its namespace. */
export const HOST_OWNERSHIPS = ["path", "namespace"] as const;
export type HostOwnership = (typeof HOST_OWNERSHIPS)[number];

/** Frozen settings that the model depends on. */
export interface ModelSettings {
  /** IngressClass name, `evener`. */
  readonly ingressClass: string;
  /** IngressClass spec.controller, `evener.io/ingress-controller`. */
  readonly controllerClass: string;
  readonly watchIngressWithoutClass: boolean;
  readonly watchNamespaces: readonly string[];
  /** `namespace/name` of the default certificate's Secret. */
  readonly defaultSslCertificate?: string;
  readonly publishStatusAddresses: readonly string[];
  readonly hostOwnership: HostOwnership;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly workers: number;
  /** Hitch and Balance have no process in common. */
  readonly separateProcesses?: boolean;
  readonly runDir: string;
  readonly shutdownGraceSeconds: number;
  readonly http: HttpSettings;
  /** Address ranges of load balancers and proxies in front. */
  readonly trustedProxies: readonly string[];
  /** Trusted peers speak PROXY on the plain port. */
  readonly useProxyProtocol: boolean;
  readonly accessLog: string;
  /** Value of Strict-Transport-Security for hosts with a certificate. */
  readonly hsts?: string;
  readonly alpn: readonly AlpnProtocol[];
  /** Absent: the defaults. */
  readonly tls?: TlsSettings;
  /** Ingresses may ask for TLS passthrough. */
  readonly sslPassthrough?: boolean;
  /** Loopback port of Hitch while Balance has the TLS ports. */
  readonly internalTlsPort?: number;
  /** Ranges of ports that Ingresses may ask for. */
  readonly tcpPorts?: readonly (readonly [first: number, last: number])[];
  /** Ports that are ours for something else; nobody can ask for them. */
  readonly reservedPorts?: readonly number[];
  /** The topology zone we run in; endpoints of it may be preferred. */
  readonly zone?: string;
  /** The program of the engine `upstream`; absent: our Balance serves everything. */
  readonly upstreamBalance?: string;
}

export interface ModelInput {
  readonly store: Store;
  readonly settings: ModelSettings;
  /** Served when no certificate matches and no Secret is named by `defaultSslCertificate`. */
  readonly fallbackCertificate: Certificate;
  /** Time of the rebuild, for expiry; the model has no clock. */
  readonly now: Date;
}

export interface ModelOutput {
  readonly ir: Ir;
  readonly statuses: readonly IngressStatus[];
  /** Of our custom resources, sorted. */
  readonly policies: readonly PolicyStatus[];
  readonly problems: readonly Problem[];
}
