// SPDX-License-Identifier: Apache-2.0
/** Objects with every string field the model may look at. */

const meta = (name: string, more: object = {}) => ({
  name,
  namespace: "shop",
  uid: "11111111-2222-3333-4444-555555555555",
  labels: { app: "web" },
  annotations: { "example.org/note": "text", "kubernetes.io/ingress.class": "evener" },
  creationTimestamp: "2025-01-01T00:00:00Z",
  ...more,
});

const backend = { service: { name: "web", port: { name: "http" } } };

const rule = (host: string, name = "web") => {
  const to = { service: { ...backend.service, name } };
  return { host, http: { paths: [{ path: "/", pathType: "Prefix", backend: to }] } };
};

/** Every annotation that can stand beside the others. */
const ANNOTATIONS = {
  "example.org/note": "text",
  "kubernetes.io/ingress.class": "evener",
  "evener.io/lane": "http",
  "evener.io/app-root": "/app",
  "evener.io/allowlist-source-range": "10.0.0.0/8,192.0.2.1",
  "nginx.ingress.kubernetes.io/backend-protocol": "HTTP",
  "nginx.ingress.kubernetes.io/denylist-source-range": "2001:db8::/32",
  "nginx.ingress.kubernetes.io/force-ssl-redirect": "true",
  "nginx.ingress.kubernetes.io/limit-connections": "10",
  "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
  "nginx.ingress.kubernetes.io/proxy-connect-timeout": "3",
  "nginx.ingress.kubernetes.io/proxy-read-timeout": "120",
  "nginx.ingress.kubernetes.io/rewrite-target": "/base",
  "nginx.ingress.kubernetes.io/ssl-redirect": "true",
  "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8",
};

/** What both kinds may say about pools. */
const OF_POOLS = {
  "evener.io/load-balance": "least-connections",
  "evener.io/slow-start": "30",
  "evener.io/maxconn": "100",
  "evener.io/maxconn-client": "10",
  "evener.io/maxconn-server": "20",
  "evener.io/queue": "5",
  "evener.io/queue-timeout": "7",
  "evener.io/idle-timeout": "600",
  "evener.io/proxy-protocol": "v2",
  "evener.io/max-fails": "4",
  "evener.io/fail-timeout": "3",
  "evener.io/fail-timeout-max": "30",
  "evener.io/health-check": "http",
  "evener.io/health-check-path": "/healthz",
  "evener.io/health-check-host": "probe.example",
  "evener.io/health-check-interval": "9",
  "evener.io/health-check-timeout": "1",
  "evener.io/health-check-rise": "1",
  "evener.io/health-check-fall": "2",
  "evener.io/backup-service": "tuned:http",
  "evener.io/prefer-zone": "true",
};

/** `ca` is an authority for client certificates. */
export function fullObjects(crt: string, key: string, ca: string): readonly Record<string, unknown>[] {
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: meta("web", { annotations: ANNOTATIONS }),
      spec: {
        ingressClassName: "evener",
        defaultBackend: backend,
        tls: [{ hosts: ["a.example", "*.a.example"], secretName: "web-tls" }],
        rules: [
          { host: "a.example", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } },
          { host: "*.a.example", http: { paths: [{ path: "/x", pathType: "Exact", backend }] } },
        ],
      },
      status: { loadBalancer: { ingress: [{ hostname: "lb.example" }] } },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "evener", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
      spec: {
        controller: "evener.io/ingress-controller",
        parameters: { apiGroup: "evener.io", kind: "TLSProfile", name: "strict" },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: meta("web"),
      spec: {
        type: "ClusterIP",
        clusterIP: "10.96.0.1",
        selector: { app: "web" },
        ports: [{ name: "http", port: 80, targetPort: "web", protocol: "TCP", appProtocol: "http" }],
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: meta("web-1", { labels: { "kubernetes.io/service-name": "web" } }),
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true }, nodeName: "node", zone: "zone" }],
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: meta("tuned", { annotations: OF_POOLS }),
      spec: { ingressClassName: "evener", rules: [rule("tuned.example")] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: meta("tuned-service"),
      spec: { ingressClassName: "evener", rules: [rule("tuned-service.example", "tuned")] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: meta("tuned", { annotations: { ...OF_POOLS, "evener.io/service-upstream": "true" } }),
      spec: {
        type: "ClusterIP",
        clusterIP: "10.96.0.2",
        trafficDistribution: "PreferClose",
        ports: [{ name: "http", port: 80 }],
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: meta("tuned-1", { labels: { "kubernetes.io/service-name": "tuned" } }),
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.0.0.2"], zone: "a", hints: { forZones: [{ name: "b" }] } }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: meta("web-tls"),
      type: "kubernetes.io/tls",
      data: {
        "tls.crt": Buffer.from(crt).toString("base64"),
        "tls.key": Buffer.from(key).toString("base64"),
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: meta("moved", {
        annotations: {
          "evener.io/permanent-redirect": "https://new.example/x?y=z#top",
          "evener.io/permanent-redirect-code": "308",
        },
      }),
      spec: { ingressClassName: "evener", rules: [rule("old.example")] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: meta("relayed", { annotations: { "evener.io/lane": "tcp" } }),
      spec: { ingressClassName: "evener", rules: [rule("tcp.example")] },
    },
    ...customObjects(ca),
  ];
}

/** Our own resources, with what they are about. */
function customObjects(ca: string): readonly Record<string, unknown>[] {
  const apiVersion = "evener.io/v1alpha1";
  const named = (name: string) => ({ name, namespace: "shop" });
  return [
    {
      apiVersion,
      kind: "TLSProfile",
      metadata: { name: "strict" },
      spec: {
        protocols: ["TLSv1.2", "TLSv1.3"],
        ciphers: ["ECDHE-RSA-AES128-GCM-SHA256"],
        ciphersuites: ["TLS_AES_128_GCM_SHA256"],
        curves: ["X25519", "P-256"],
        alpn: ["http/1.1"],
        hsts: { maxAgeSeconds: 60, includeSubdomains: true },
        defaultCertificate: { namespace: "shop", name: "web-tls" },
        trustedProxies: ["10.1.0.0/16"],
        extraTlsPorts: [9443],
        tcpServices: [
          {
            port: 9000,
            namespace: "shop",
            service: "policed",
            servicePort: "http",
            tls: "terminate",
            host: "a.example",
          },
        ],
      },
    },
    {
      apiVersion,
      kind: "BackendPolicy",
      metadata: named("all"),
      spec: {
        targetRefs: [
          { group: "", kind: "Service", name: "policed", port: "http" },
          { name: "policed", sectionName: "admin" },
        ],
        loadBalancing: { strategy: "power-of-two", slowStartSeconds: 5 },
        proxyProtocol: "v1",
        healthCheck: { type: "http", path: "/alive", host: "probe.example" },
        backups: [{ service: "web", port: "http" }],
      },
      status: { conditions: [{ type: "Accepted", status: "True", reason: "Accepted", message: "text" }] },
    },
    {
      apiVersion,
      kind: "ClientCertificatePolicy",
      metadata: named("by-host"),
      spec: { hosts: ["a.example"], ca: { configMap: { name: "authorities" } }, mode: "optional" },
    },
    {
      apiVersion,
      kind: "ClientCertificatePolicy",
      metadata: named("by-ingress"),
      spec: {
        targetRefs: [{ group: "networking.k8s.io", kind: "Ingress", name: "policed" }],
        ca: { secret: { name: "authority" } },
      },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: named("authorities"),
      data: { "ca.crt": ca },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: named("authority"),
      type: "Opaque",
      data: { "ca.crt": Buffer.from(ca).toString("base64") },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: named("policed"),
      spec: {
        ingressClassName: "evener",
        tls: [{ hosts: ["www.a.example"], secretName: "web-tls" }],
        rules: [rule("www.a.example", "policed")],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: named("policed"),
      spec: {
        ports: [
          { name: "http", port: 80 },
          { name: "admin", port: 81 },
        ],
      },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...named("policed-1"), labels: { "kubernetes.io/service-name": "policed" } },
      addressType: "IPv4",
      ports: [
        { name: "http", port: 8080, protocol: "TCP" },
        { name: "admin", port: 8081, protocol: "TCP" },
      ],
      endpoints: [{ addresses: ["10.0.0.3"] }],
    },
  ];
}
