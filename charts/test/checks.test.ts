// SPDX-License-Identifier: Apache-2.0
/** Values that contradict each other: refused, with a sentence that says what to do. */
import test from "node:test";
import type { Values } from "../tools/helm.ts";
import { assertRefused } from "./lib/assert-chart.ts";

const PEM = "-----BEGIN X-----\n";
const DAEMONSET = { kind: "DaemonSet" };

const CASES: readonly (readonly [Values, string])[] = [
  [
    { controller: DAEMONSET, autoscaling: { enabled: true } },
    "autoscaling.enabled does not go with controller.kind=DaemonSet: a DaemonSet has a pod on every node. Use one or the other.",
  ],
  [
    { controller: DAEMONSET, replicaCount: 2 },
    "replicaCount does not go with controller.kind=DaemonSet: a DaemonSet has a pod on every node. Leave replicaCount unset.",
  ],
  [
    {
      controller: DAEMONSET,
      hostPort: { enabled: true },
      updateStrategy: { rollingUpdate: { maxSurge: 1 } },
    },
    "updateStrategy.rollingUpdate.maxSurge does not go with ports of the node: two pods of a DaemonSet can't share them. Use maxUnavailable.",
  ],
  [
    { replicaCount: 3, autoscaling: { enabled: true } },
    "replicaCount does not go with autoscaling.enabled: each upgrade would undo the scaling. Use autoscaling.minReplicas and leave replicaCount unset.",
  ],
  [
    { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 4 } },
    "autoscaling.minReplicas (5) is greater than autoscaling.maxReplicas (4).",
  ],
  [
    { autoscaling: { enabled: true, targetCPUUtilizationPercentage: null } },
    "autoscaling.enabled needs something to go by: set targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics.",
  ],
  [
    { autoscaling: { enabled: true }, resources: { requests: { cpu: null } } },
    "autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu, which is not set.",
  ],
  [
    {
      autoscaling: { enabled: true, targetMemoryUtilizationPercentage: 80 },
      resources: { requests: { memory: null } },
    },
    "autoscaling.targetMemoryUtilizationPercentage is a share of resources.requests.memory, which is not set.",
  ],
  [
    { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } },
    "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable exclude each other. Set one of them.",
  ],
  [
    { podDisruptionBudget: { minAvailable: 2 } },
    "podDisruptionBudget.minAvailable (2) is not below the number of pods (2): no pod could ever be evicted, so no node drained.",
  ],
  [
    { autoscaling: { enabled: true, minReplicas: 3 }, podDisruptionBudget: { minAvailable: 4 } },
    "podDisruptionBudget.minAvailable (4) is not below the number of pods (3): no pod could ever be evicted, so no node drained.",
  ],
  [
    { podDisruptionBudget: { minAvailable: "100%" } },
    "podDisruptionBudget.minAvailable is 100%: no pod could ever be evicted, so no node drained. Use less.",
  ],
  [
    { podDisruptionBudget: { maxUnavailable: 0 } },
    "podDisruptionBudget.maxUnavailable is 0: no pod could ever be evicted, so no node drained. Use 1 or more.",
  ],
  [
    { podDisruptionBudget: { maxUnavailable: "0%" } },
    "podDisruptionBudget.maxUnavailable is 0%: no pod could ever be evicted, so no node drained. Use 1 or more.",
  ],
  [
    { scope: { namespace: "shop" } },
    "scope.namespace and scope.additionalNamespaces count with scope.enabled=true only.",
  ],
  [
    { scope: { additionalNamespaces: ["shop"] } },
    "scope.namespace and scope.additionalNamespaces count with scope.enabled=true only.",
  ],
  [
    { rbac: { scope: "namespace" } },
    "rbac.scope=namespace needs scope.enabled=true: without it all namespaces are watched, which takes a ClusterRole.",
  ],
  [
    { ingressClassResource: { enabled: false, default: true } },
    "ingressClassResource.default needs ingressClassResource.enabled=true: the default is an annotation of the IngressClass.",
  ],
  [
    { serviceAccount: { create: false } },
    "serviceAccount.create=false needs serviceAccount.name, the account that exists.",
  ],
  [
    { defaultTLS: { existingSecret: "a", certificate: PEM, key: PEM } },
    "defaultTLS.existingSecret excludes defaultTLS.certificate and defaultTLS.key. Set one or the other.",
  ],
  [{ defaultTLS: { certificate: PEM } }, "defaultTLS.certificate needs defaultTLS.key."],
  [{ defaultTLS: { key: PEM } }, "defaultTLS.key needs defaultTLS.certificate."],
  [
    { secrets: { names: { shop: ["tls"] } } },
    "secrets.names counts with secrets.access=named only; with tls, all TLS Secrets are read.",
  ],
  [
    { secrets: { access: "named", names: { blog: ["tls"] } }, scope: { enabled: true, namespace: "shop" } },
    "secrets.names has the namespace blog, which is not watched (scope): its Secrets would never be used.",
  ],
  [{ config: { "log-levle": "debug" } }, "config.log-levle is no flag of evener run. There are: "],
  [{ config: { "http-port": 80 } }, "config.http-port is set by another value: containerPort.http."],
  [
    { config: { "run-dir": "/x" } },
    "config.run-dir is set by another value: nothing; it is a directory in memory at /run/evener.",
  ],
  [{ config: { workers: [1, 2] } }, "config.workers is a list, and the flag can be given only once."],
  [{ extraArgs: { "watch-namespace": "shop" } }, "extraArgs.watch-namespace is set by another value: scope."],
  [
    { config: { workers: 2 }, extraArgs: { workers: 3 } },
    "extraArgs.workers is in config too. Set it in one place.",
  ],
  [
    { terminationGracePeriodSeconds: 35 },
    "terminationGracePeriodSeconds (35) has to be longer than the flags shutdown-delay (5s) and shutdown-grace-period (30s) together: the pod would be killed while it drains.",
  ],
  [
    { config: { "shutdown-grace-period": "1m" } },
    "terminationGracePeriodSeconds (60) has to be longer than the flags shutdown-delay (5s) and shutdown-grace-period (1m) together: the pod would be killed while it drains.",
  ],
  [
    { extraArgs: { "shutdown-delay": "30.001s" } },
    "terminationGracePeriodSeconds (60) has to be longer than the flags shutdown-delay (30.001s) and shutdown-grace-period (30s) together: the pod would be killed while it drains.",
  ],
  [
    { lifecycle: { preStop: { sleep: { seconds: 25 } } } },
    "terminationGracePeriodSeconds (60) has to be longer than the flags shutdown-delay (5s) and shutdown-grace-period (30s) together, after a preStop of 25 s: the pod would be killed while it drains.",
  ],
  [
    { config: { "shutdown-grace-period": "1h" } },
    'config.shutdown-grace-period is "1h", which is no time. Say 30s, 500ms or 2m.',
  ],
  [
    { config: { "shutdown-delay": "soon" } },
    'config.shutdown-delay is "soon", which is no time. Say 5s, 500ms or 2m.',
  ],
  [
    { hostNetwork: true, hostPort: { enabled: true } },
    "hostNetwork and hostPort.enabled exclude each other: in the node's network the pod's ports are the node's. Use containerPort.",
  ],
  [
    { hostNetwork: true, networkPolicy: { enabled: true } },
    "networkPolicy.enabled does not go with hostNetwork: policies don't apply to pods in the node's network.",
  ],
  [
    { hostNetwork: true, containerPort: { https: 443 } },
    "containerPort.https is 443, and with hostNetwork a process without privileges can't open a port below 1024. Use hostPort.enabled, a higher port, or lower net.ipv4.ip_unprivileged_port_start on the nodes and say so in containerPort.unprivilegedStart.",
  ],
  [
    { hostNetwork: true, tcp: { pg: { port: 5432, hostPort: 5432 } } },
    "tcp.pg.hostPort does not go with hostNetwork: in the node's network the pod's ports are the node's.",
  ],
  [{ containerPort: { http: 8443 } }, "containerPort.http and containerPort.https are both 8443."],
  [{ metrics: { port: 8080 } }, "containerPort.http and metrics.port are both 8080."],
  [{ tcp: { a: { port: 8443 } } }, "containerPort.https and tcp.a are both 8443."],
  [{ tcp: { a: { port: 443, containerPort: 1443 } } }, "service.ports.https and tcp.a.port are both 443."],
  [
    { hostPort: { enabled: true }, tcp: { a: { port: 9000, hostPort: 80 } } },
    "hostPort.ports.http and tcp.a.hostPort are both 80.",
  ],
  [{ tcp: { "a--b": { port: 9000 } } }, "tcp.a--b: the name of a port has no two dashes in a row."],
  [{ tcp: { metrics: { port: 9000 } } }, "tcp.metrics: that name is taken by a port of the chart."],
  [
    { service: { ports: { http: 0, https: 0 } } },
    "service.ports.http and service.ports.https are both 0 and tcp is empty: the Service would have no port. Set service.enabled=false.",
  ],
  [
    { service: { type: "ClusterIP", externalTrafficPolicy: "Local" } },
    "service.externalTrafficPolicy does not go with service.type=ClusterIP, which nothing reaches from outside.",
  ],
  [
    { service: { type: "NodePort", loadBalancerClass: "example.org/lb" } },
    "service.loadBalancerClass needs service.type=LoadBalancer; it is NodePort.",
  ],
  [
    { service: { type: "NodePort", loadBalancerSourceRanges: ["192.0.2.0/24"] } },
    "service.loadBalancerSourceRanges needs service.type=LoadBalancer; it is NodePort.",
  ],
  [
    { service: { type: "NodePort", allocateLoadBalancerNodePorts: false } },
    "service.allocateLoadBalancerNodePorts needs service.type=LoadBalancer; it is NodePort.",
  ],
  [
    { service: { healthCheckNodePort: 32000 } },
    "service.healthCheckNodePort needs service.externalTrafficPolicy=Local.",
  ],
  [
    { service: { type: "ClusterIP", nodePorts: { http: 30080 } } },
    "service.nodePorts does not go with service.type=ClusterIP. Use NodePort or LoadBalancer.",
  ],
  [
    { service: { type: "ClusterIP" }, tcp: { pg: { port: 5432, nodePort: 30432 } } },
    "tcp.pg.nodePort does not go with service.type=ClusterIP. Use NodePort or LoadBalancer.",
  ],
  [
    { service: { enabled: false } },
    "publishService.enabled needs a Service, and service.enabled is false. Set publishService.pathOverride, publishStatusAddresses, or publishService.enabled=false.",
  ],
  [
    { metrics: { enabled: false, serviceMonitor: { enabled: true } } },
    "metrics.serviceMonitor.enabled needs metrics.enabled: a ServiceMonitor finds the pods by the metrics Service.",
  ],
  [
    { metrics: { serviceMonitor: { enabled: true } }, networkPolicy: { enabled: true } },
    "metrics.serviceMonitor.enabled with networkPolicy.enabled needs networkPolicy.metricsFrom: Prometheus could not reach the pods.",
  ],
  [
    { metrics: { prometheusRule: { enabled: true, disabled: ["Nothing"] } } },
    "metrics.prometheusRule.disabled has Nothing, which is no alert. There are: EvenerDown, ",
  ],
];

for (const [values, sentence] of CASES) {
  test(sentence, async () => {
    await assertRefused(values, sentence);
  });
}
