// SPDX-License-Identifier: Apache-2.0
/** Objects of our kinds, right and wrong, for the API server and for our own check of the same schemas. */
export interface Case {
  readonly name: string;
  readonly object: Record<string, unknown>;
}

type Spec = Record<string, unknown>;

function make(kind: string, spec: unknown, name = "it"): Record<string, unknown> {
  const namespace = kind === "TLSProfile" ? {} : { namespace: "default" };
  return { apiVersion: "evener.io/v1alpha1", kind, metadata: { name, ...namespace }, spec };
}

const backend = (spec: Spec) => make("BackendPolicy", { targetRefs: [{ name: "web" }], ...spec });
const client = (spec: Spec) =>
  make("ClientCertificatePolicy", { hosts: ["a.example"], ca: { secret: { name: "ca" } }, ...spec });
const profile = (spec: Spec) => make("TLSProfile", spec);

export const INVALID: readonly Case[] = [
  ...list({
    "a policy without spec": make("BackendPolicy", undefined),
    "no target": make("BackendPolicy", {}),
    "an empty list of targets": backend({ targetRefs: [] }),
    "too many targets": backend({ targetRefs: Array.from({ length: 17 }, (_, i) => ({ name: `web-${i}` })) }),
    "a target of another kind": backend({ targetRefs: [{ kind: "Deployment", name: "web" }] }),
    "a target of another group": backend({ targetRefs: [{ group: "apps", name: "web" }] }),
    "a target without name": backend({ targetRefs: [{ port: 80 }] }),
    "a target that is no Service name": backend({ targetRefs: [{ name: "Web_1" }] }),
    "a Service name with a line break": backend({ targetRefs: [{ name: "web\nhash 0" }] }),
    "port and sectionName": backend({ targetRefs: [{ name: "web", port: 80, sectionName: "http" }] }),
    "port 0": backend({ targetRefs: [{ name: "web", port: 0 }] }),
    "port 65536": backend({ targetRefs: [{ name: "web", port: 65_536 }] }),
    "a port with a blank": backend({ targetRefs: [{ name: "web", port: "http x" }] }),
    "the same target twice": backend({ targetRefs: [{ name: "web" }, { name: "web" }] }),
    "the same port twice": backend({
      targetRefs: [
        { name: "web", port: 80 },
        { name: "web", port: 80 },
      ],
    }),
    "an unknown strategy": backend({ loadBalancing: { strategy: "fastest" } }),
    "a strategy with text behind it": backend({ loadBalancing: { strategy: "first;" } }),
    "a negative slow start": backend({ loadBalancing: { slowStartSeconds: -1 } }),
    "a slow start in words": backend({ loadBalancing: { slowStartSeconds: "10s" } }),
    "a zone in words": backend({ loadBalancing: { preferZone: "yes" } }),
    "no time to connect": backend({ timeouts: { connectSeconds: 0 } }),
    "an hour and a second to connect": backend({ timeouts: { connectSeconds: 3601 } }),
    "half a second": backend({ timeouts: { responseSeconds: 0.5 } }),
    "idle for more than a day": backend({ timeouts: { idleSeconds: 86_401 } }),
    "too many connections": backend({ limits: { connections: 1_000_001 } }),
    "a time for a queue that is none": backend({ limits: { queueSeconds: 5 } }),
    "a time for a queue of length 0": backend({ limits: { queue: 0, queueSeconds: 5 } }),
    "an unknown PROXY version": backend({ proxyProtocol: "v3" }),
    "a lane that is not for Services": backend({ lane: "passthrough" }),
    "ejected for longer than the longest": backend({ ejection: { baseSeconds: 10, maxSeconds: 5 } }),
    "a check without type": backend({ healthCheck: { path: "/healthz" } }),
    "a path for a TCP check": backend({ healthCheck: { type: "tcp", path: "/healthz" } }),
    "a path that is none": backend({ healthCheck: { type: "http", path: "healthz" } }),
    "a path with a line break": backend({ healthCheck: { type: "http", path: "/\r\nHost: x" } }),
    "a Host field with a port": backend({ healthCheck: { type: "http", host: "a.example:80" } }),
    "a check that is slower than its interval": backend({
      healthCheck: { type: "tcp", intervalSeconds: 2, timeoutSeconds: 3 },
    }),
    "a backup without port": backend({ backups: [{ service: "spare" }] }),
    "too many backups": backend({
      backups: Array.from({ length: 5 }, () => ({ service: "spare", port: 80 })),
    }),
    "neither hosts nor targets": make("ClientCertificatePolicy", { ca: { secret: { name: "ca" } } }),
    "hosts and targets": client({ targetRefs: [{ name: "web" }] }),
    "no authority": make("ClientCertificatePolicy", { hosts: ["a.example"] }),
    "an authority that is nowhere": client({ ca: {} }),
    "an authority in two places": client({ ca: { secret: { name: "ca" }, configMap: { name: "ca" } } }),
    "a Secret of another namespace": client({ ca: { secret: { name: "other/ca" } } }),
    "a host in capitals": client({ hosts: ["A.example"] }),
    "a host that is a URL": client({ hosts: ["https://a.example/"] }),
    "every host": client({ hosts: ["*"] }),
    "a host twice": client({ hosts: ["a.example", "a.example"] }),
    "an unknown mode": client({ mode: "on" }),
    "an Ingress twice": make("ClientCertificatePolicy", {
      ca: { secret: { name: "ca" } },
      targetRefs: [{ name: "web" }, { name: "web" }],
    }),
    "a Gateway": make("ClientCertificatePolicy", {
      ca: { secret: { name: "ca" } },
      targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "web" }],
    }),
    "an old protocol": profile({ protocols: ["TLSv1.1", "TLSv1.3"] }),
    "without TLS 1.3": profile({ protocols: ["TLSv1.2"] }),
    "no protocol": profile({ protocols: [] }),
    "a weak cipher": profile({ ciphers: ["DES-CBC3-SHA"] }),
    "a list of ciphers in one word": profile({ ciphers: ["ECDHE-RSA-AES128-GCM-SHA256:ALL"] }),
    "a cipher twice": profile({ ciphersuites: ["TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"] }),
    "a configuration line for a curve": profile({ curves: ['P-256"\nbackend = "[evil]:80'] }),
    "an unknown protocol for ALPN": profile({ alpn: ["spdy/3"] }),
    "no session tickets": profile({ sessionTickets: false }),
    "stapling in words": profile({ ocspStapling: "true" }),
    "HSTS without a time": profile({ hsts: { includeSubdomains: true } }),
    "HSTS preload without subdomains": profile({ hsts: { maxAgeSeconds: 31_536_000, preload: true } }),
    "a default certificate without namespace": profile({ defaultCertificate: { name: "tls" } }),
    "no workers": profile({ workers: 0 }),
    "too many workers": profile({ workers: 65 }),
    "a proxy by name": profile({ trustedProxies: ["proxy.example"] }),
    "a port twice": profile({ extraTlsPorts: [9443, 9443] }),
    "a port for two things": profile({
      extraTlsPorts: [9000],
      tcpServices: [{ port: 9000, namespace: "db", service: "pg", servicePort: 5432 }],
    }),
    "two TCP services on one port": profile({
      tcpServices: [
        { port: 9000, namespace: "db", service: "pg", servicePort: 5432 },
        { port: 9000, namespace: "db", service: "my", servicePort: 3306 },
      ],
    }),
    "a server name without TLS": profile({
      tcpServices: [{ port: 9000, namespace: "db", service: "pg", servicePort: 5432, host: "pg.example" }],
    }),
  }),
];

export const VALID: readonly Case[] = [
  ...list({
    "a policy with everything": backend({
      targetRefs: [
        { group: "", kind: "Service", name: "web", port: 80 },
        { name: "web", port: "admin" },
        { name: "api", sectionName: "http" },
        { name: "other" },
      ],
      loadBalancing: { strategy: "least-connections", slowStartSeconds: 30, preferZone: true },
      timeouts: { connectSeconds: 1, responseSeconds: 120, idleSeconds: 600 },
      limits: {
        connections: 1000,
        connectionsPerEndpoint: 100,
        connectionsPerClient: 10,
        queue: 50,
        queueSeconds: 2,
      },
      proxyProtocol: "v2",
      lane: "tcp",
      ejection: { failures: 5, baseSeconds: 1, maxSeconds: 30 },
      healthCheck: {
        type: "http",
        path: "/healthz",
        host: "web.example",
        intervalSeconds: 10,
        timeoutSeconds: 1,
      },
      backups: [{ service: "spare", port: "http" }],
    }),
    "a policy with nothing but a target": backend({}),
    "a policy that switches checks off": backend({ healthCheck: { type: "none" } }),
    "client certificates for hosts": client({ mode: "optional", forwardCertificate: true }),
    "client certificates for Ingresses": make("ClientCertificatePolicy", {
      targetRefs: [{ group: "networking.k8s.io", kind: "Ingress", name: "web" }, { name: "api" }],
      ca: { configMap: { name: "ca" } },
    }),
    "a profile with everything": profile({
      protocols: ["TLSv1.2", "TLSv1.3"],
      ciphers: ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
      ciphersuites: ["TLS_AES_128_GCM_SHA256"],
      curves: ["X25519", "P-256"],
      preferServerCiphers: true,
      alpn: ["http/1.1"],
      sessionTickets: true,
      ocspStapling: true,
      hsts: { maxAgeSeconds: 31_536_000, includeSubdomains: true, preload: true },
      defaultCertificate: { namespace: "ingress", name: "default-tls" },
      strictSni: true,
      workers: 4,
      trustedProxies: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"],
      extraTlsPorts: [9443],
      tcpServices: [
        {
          port: 5432,
          namespace: "db",
          service: "pg",
          servicePort: 5432,
          tls: "terminate",
          host: "pg.example",
        },
        { port: 3306, namespace: "db", service: "my", servicePort: "mysql" },
      ],
    }),
    "an empty profile": profile({}),
  }),
];

function list(cases: Readonly<Record<string, Record<string, unknown>>>): readonly Case[] {
  return Object.entries(cases).map(([name, object], i) => {
    const metadata = { ...(object.metadata as object), name: `case-${i}` };
    return { name, object: { ...object, metadata } };
  });
}
