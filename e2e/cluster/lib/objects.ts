// SPDX-License-Identifier: Apache-2.0
/** What users write: a Deployment of echo pods, its Service, an Ingress with TLS. */
import type { Manifest } from "../../lib/manifests.ts";

export const ECHO_IMAGE = "localhost/evener-e2e-echo:1";

export function makeNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Manifest {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** Pods stay for a while after they were told to go: the news takes its time (images/echo.c). */
export function makeEcho(name: string, namespace: string, replicas: number): Manifest[] {
  const labels = { app: name };
  const container = {
    name: "echo",
    image: ECHO_IMAGE,
    imagePullPolicy: "IfNotPresent",
    ports: [{ name: "http", containerPort: 8080 }],
    readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 },
    resources: { requests: { cpu: "10m", memory: "8Mi" } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  const spec = {
    terminationGracePeriodSeconds: 20,
    automountServiceAccountToken: false,
    securityContext,
    containers: [container],
  };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: {
        replicas,
        strategy,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
    },
  ];
}
