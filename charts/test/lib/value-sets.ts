// SPDX-License-Identifier: Apache-2.0
/** Sets of values as people use them; tests that hold for any values run over all of them. */
import type { Values } from "../../tools/helm.ts";

const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const KEY = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
const PROMETHEUS = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } };

export const VALUE_SETS: Readonly<Record<string, Values>> = {
  default: {},
  "cloud load balancer": {
    image: { repository: "registry.example:5000/team/evener", digest: `sha256:${"ab".repeat(32)}` },
    imagePullSecrets: [{ name: "pull" }],
    service: {
      annotations: { "example.org/load-balancer": "internal" },
      labels: { tier: "edge" },
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Cluster",
      loadBalancerClass: "example.org/lb",
      loadBalancerSourceRanges: ["198.51.100.0/24", "2001:db8::/32"],
      healthCheckNodePort: 32100,
      ipFamilyPolicy: "PreferDualStack",
      ipFamilies: ["IPv4"],
      nodePorts: { http: 30080, https: 30443 },
      allocateLoadBalancerNodePorts: true,
    },
    ingressClassResource: { default: true },
  },
  "node ports": { service: { type: "NodePort", externalIPs: ["192.0.2.10"] } },
  "cluster address": { service: { type: "ClusterIP", ports: { http: 0 } } },
  "bare metal, node's network": {
    controller: { kind: "DaemonSet" },
    hostNetwork: true,
    service: { enabled: false },
    publishStatusAddresses: ["192.0.2.10", "edge.example"],
    nodeSelector: { "node-role.kubernetes.io/edge": "" },
    tolerations: [{ key: "edge", operator: "Exists", effect: "NoSchedule" }],
  },
  "bare metal, node's ports": {
    controller: { kind: "DaemonSet" },
    hostPort: { enabled: true },
    service: { enabled: false },
    publishService: { enabled: false },
    updateStrategy: { rollingUpdate: { maxUnavailable: "20%" } },
  },
  "node's ports, Deployment": { hostPort: { enabled: true, ports: { http: 0 } }, replicaCount: 3 },
  "own namespace": { scope: { enabled: true }, defaultTLS: { certificate: CERTIFICATE, key: KEY } },
  "other namespaces": {
    scope: { enabled: true, namespace: "shop", additionalNamespaces: ["blog"] },
    publishService: { pathOverride: "network/front" },
    defaultTLS: { existingSecret: "certificates/wildcard" },
  },
  "namespaces with a ClusterRole": {
    scope: { enabled: true, namespace: "shop" },
    rbac: { scope: "cluster" },
  },
  "Secrets by name": {
    secrets: { access: "named", names: { shop: ["shop-tls"], blog: ["blog-tls", "blog.example"] } },
    defaultTLS: { existingSecret: "wildcard" },
  },
  "Secrets by name, scoped": {
    scope: { enabled: true, namespace: "shop" },
    secrets: { access: "named", names: { shop: ["shop-tls"] } },
    defaultTLS: { existingSecret: "shop/default" },
  },
  "Secrets by any name": { secrets: { access: "named" } },
  autoscaling: {
    autoscaling: {
      enabled: true,
      minReplicas: 3,
      maxReplicas: 12,
      targetMemoryUtilizationPercentage: 80,
      metrics: [
        {
          type: "Pods",
          pods: { metric: { name: "open" }, target: { type: "AverageValue", averageValue: "100" } },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    },
    podDisruptionBudget: { maxUnavailable: "34%" },
  },
  "network policy": {
    networkPolicy: {
      enabled: true,
      from: [{ ipBlock: { cidr: "198.51.100.0/24" } }],
      metricsFrom: [PROMETHEUS],
      extraIngress: [{ ports: [{ port: 9000 }] }],
      egress: {
        enabled: true,
        to: [{ namespaceSelector: {} }],
        extra: [{ ports: [{ port: 53, protocol: "UDP" }] }],
      },
    },
    metrics: { serviceMonitor: { enabled: true } },
  },
  monitoring: {
    metrics: {
      port: 9254,
      service: { annotations: { scrape: "yes" }, labels: { team: "edge" } },
      serviceMonitor: {
        enabled: true,
        namespace: "monitoring",
        labels: { release: "prometheus" },
        interval: "15s",
        relabelings: [{ action: "labeldrop", regex: "node" }],
        metricRelabelings: [{ action: "drop", sourceLabels: ["__name__"], regex: "evener_endpoint_up" }],
      },
      prometheusRule: {
        enabled: true,
        namespace: "monitoring",
        labels: { release: "prometheus" },
        alertLabels: { team: "edge" },
        disabled: ["EvenerNoLeader"],
        additionalRules: [{ alert: "Always", expr: "vector(1)" }],
      },
      dashboard: { enabled: true, namespace: "monitoring", annotations: { grafana_folder: "Edge" } },
    },
  },
  "TCP services": {
    tcp: {
      postgres: { port: 5432, nodePort: 30432 },
      mqtts: { port: 8883, containerPort: 18883, hostPort: 8883 },
    },
  },
  "everything about the pods": {
    fullnameOverride: "edge",
    commonLabels: { team: "edge" },
    annotations: { note: "deployment" },
    podAnnotations: { note: "pod" },
    podLabels: { zone: "public" },
    replicaCount: 3,
    affinity: { nodeAffinity: {} },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchExpressions: [{ key: "app.kubernetes.io/name", operator: "Exists" }] },
      },
      { maxSkew: 2, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" },
    ],
    priorityClassName: "system-cluster-critical",
    runtimeClassName: "sandbox",
    dnsPolicy: "Default",
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
    terminationGracePeriodSeconds: 120,
    minReadySeconds: 5,
    config: {
      "shutdown-grace-period": "90s",
      "shutdown-delay": 10,
      "log-level": "debug",
      workers: 4,
      "host-ownership": "namespace",
      "update-status-on-shutdown": false,
    },
    extraArgs: { "reload-interval": "500ms" },
    extraEnvs: [{ name: "TZ", value: "UTC" }],
    extraVolumes: [{ name: "more", emptyDir: {} }],
    extraVolumeMounts: [{ name: "more", mountPath: "/more" }],
    podDisruptionBudget: { minAvailable: 2 },
    watchIngressWithoutClass: true,
    electionID: "edge-leader",
    probes: { readiness: { initialDelaySeconds: 1 } },
  },
  "another class, nothing of the cluster's made": {
    nameOverride: "edge",
    ingressClassResource: {
      name: "internal",
      enabled: false,
      controllerValue: "example.org/internal",
    },
    rbac: { create: false },
    serviceAccount: { create: false, name: "existing" },
    podDisruptionBudget: { enabled: false },
    metrics: { enabled: false },
  },
  "class with parameters": {
    ingressClassResource: {
      annotations: { note: "edge" },
      parameters: { apiGroup: "evener.io", kind: "TLSProfile", name: "strict", scope: "Cluster" },
    },
  },
};
