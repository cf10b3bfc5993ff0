// SPDX-License-Identifier: Apache-2.0
/** What a cluster has before the chart comes, and where the API server keeps each kind. */
import type { Cluster } from "../../../e2e/kube/lib/cluster.ts";
import type { KubeObject } from "../../tools/helm.ts";
import type { Any } from "./assert-chart.ts";
import { MONITORING_CRDS } from "./monitoring-crds.ts";

/** Plural and whether it belongs to a namespace; a kind that is missing here fails the test. */
export const KINDS: Readonly<Record<string, readonly [plural: string, namespaced: boolean]>> = {
  ClusterRole: ["clusterroles", false],
  ClusterRoleBinding: ["clusterrolebindings", false],
  ConfigMap: ["configmaps", true],
  DaemonSet: ["daemonsets", true],
  Deployment: ["deployments", true],
  HorizontalPodAutoscaler: ["horizontalpodautoscalers", true],
  IngressClass: ["ingressclasses", false],
  NetworkPolicy: ["networkpolicies", true],
  Lease: ["leases", true],
  Pod: ["pods", true],
  PodDisruptionBudget: ["poddisruptionbudgets", true],
  PrometheusRule: ["prometheusrules", true],
  Role: ["roles", true],
  RoleBinding: ["rolebindings", true],
  Secret: ["secrets", true],
  Service: ["services", true],
  ServiceAccount: ["serviceaccounts", true],
  ServiceMonitor: ["servicemonitors", true],
};

/** Path of the objects of its kind. */
export function collectionOf({ apiVersion, kind, metadata }: KubeObject): string {
  const [plural, namespaced] = KINDS[kind] ?? [];
  if (plural === undefined) throw new Error(`what is the plural of ${kind}?`);
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}${namespaced === true ? `/namespaces/${metadata.namespace}` : ""}/${plural}`;
}

export async function prepareCluster(cluster: Cluster): Promise<void> {
  const { admin } = cluster;
  await admin.apply(
    namespace("ingress", "restricted"),
    namespace("privileged", "privileged"),
    ...["shop", "blog", "network", "certificates", "monitoring"].map((name) => namespace(name, "baseline")),
  );
  await admin.apply(...MONITORING_CRDS);
  for (const { metadata } of MONITORING_CRDS as readonly Any[]) await waitServed(cluster, metadata.name);
}

function namespace(name: string, level: string): Any {
  const labels = { "pod-security.kubernetes.io/enforce": level };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

async function waitServed(cluster: Cluster, name: string): Promise<void> {
  const [plural, ...group] = name.split(".");
  for (let tries = 0; tries < 100; tries++) {
    const { status } = await cluster.admin.call("GET", `/apis/${group.join(".")}/v1/${plural}`);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} is not served`);
}
