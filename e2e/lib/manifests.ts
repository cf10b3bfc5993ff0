// SPDX-License-Identifier: Apache-2.0
/** Kubernetes objects as plain data, the least that makes a host work. */
import type { KeyPair } from "../../test/fixtures/certificates.ts";

export type Manifest = Record<string, unknown>;

export const ingressClass: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name: "evener" },
  spec: { controller: "evener.io/ingress-controller" },
};

export function makeService(name: string, namespace = "default"): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { ports: [{ name: "http", port: 80 }] },
  };
}

export function makeEndpoints(name: string, ports: readonly number[], namespace = "default"): Manifest[] {
  // A slice has one port for all its addresses, and here every pod is 127.0.0.1: so one slice per pod.
  return ports.map((port, i) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-${i}`, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  }));
}

export function makeSecret(name: string, pair: KeyPair, namespace = "default"): Manifest {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encode(pair.cert), "tls.key": encode(pair.key) },
  };
}

export interface IngressOptions {
  readonly namespace?: string;
  readonly service?: string;
  readonly secret?: string;
  readonly created?: string;
  readonly lane?: "http" | "tcp";
}

export function makeIngress(name: string, host: string, options: IngressOptions = {}): Manifest {
  const { namespace = "default", service = name, secret = `${name}-tls`, created, lane = "http" } = options;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name,
      namespace,
      ...(created === undefined ? {} : { creationTimestamp: created }),
      ...(lane === "http" ? {} : { annotations: { "evener.io/lane": lane } }),
    },
    spec: {
      ingressClassName: "evener",
      tls: [{ hosts: [host], secretName: secret }],
      rules: [
        {
          host,
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: service, port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    },
  };
}

/** Everything for `https://NAME.example/`, TLS Secret apart. */
export function makeSite(name: string, ports: readonly number[], options: IngressOptions = {}): Manifest[] {
  return [makeService(name), ...makeEndpoints(name, ports), makeIngress(name, `${name}.example`, options)];
}
