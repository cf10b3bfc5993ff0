// SPDX-License-Identifier: Apache-2.0
/** Many sites: an Ingress, a Service, its EndpointSlice and a TLS Secret each, as tools write them. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Manifest } from "../../e2e/lib/manifests.ts";

const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};
const NAMESPACES = 100;

export interface CertificateMaker {
  make(host: string): Promise<{ readonly crt: string; readonly key: string }>;
}

/** One key for all: a certificate takes a millisecond then, and is as long as any other. With its issuer's after it. */
export async function createCertificateMaker(): Promise<CertificateMaker> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const key = `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
  const make = async (subject: string, host: string) => {
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: "CN=issuer",
      notBefore: new Date(Date.now() - 86400_000),
      notAfter: new Date(Date.now() + 90 * 86400_000),
      publicKey: keys.publicKey as never,
      signingKey: keys.privateKey as never,
      signingAlgorithm: RSA as never,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }])],
    });
    return `${certificate.toString("pem")}\n`;
  };
  const issuer = await make("CN=issuer", "issuer.example");
  return { make: async (host) => ({ crt: `${await make(`CN=${host}`, host)}${issuer}`, key }) };
}

export const hostOf = (i: number) => `h${i}.scale.example`;
const metadataOf = (i: number) => ({ namespace: `team-${i % NAMESPACES}`, name: `web-${i}` });

export function makeNamespaces(): Manifest[] {
  return Array.from({ length: NAMESPACES }, (_, i) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: `team-${i}` },
  }));
}

export function makeService(i: number): Manifest {
  const metadata = {
    ...metadataOf(i),
    labels: { "app.kubernetes.io/name": "web", team: `${i % NAMESPACES}` },
  };
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];
  return { apiVersion: "v1", kind: "Service", metadata, spec: { ports, selector: { app: `web-${i}` } } };
}

/** `addresses` pods with everything that the endpoint controller writes. */
export function makeSlice(i: number, addresses: readonly string[], port = 8080): Manifest {
  const { namespace, name } = metadataOf(i);
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      name: `${name}-x7k2p`,
      labels: {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: addresses.map((address, k) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${k}`,
      zone: "zone-a",
      targetRef: { kind: "Pod", namespace, name: `${name}-6f9d8c7b5-${k}`, uid: crypto.randomUUID() },
    })),
  };
}

export function addressesOf(i: number, count: number): string[] {
  return Array.from({ length: count }, (_, k) => `10.${k + 1}.${(i >> 8) & 255}.${i & 255}`);
}

export function makeIngress(i: number): Manifest {
  const metadata = metadataOf(i);
  const spec = {
    ingressClassName: "evener",
    tls: [{ hosts: [hostOf(i)], secretName: `web-${i}-tls` }],
    rules: [
      {
        host: hostOf(i),
        http: {
          paths: [
            {
              path: "/",
              pathType: "Prefix",
              backend: { service: { name: metadata.name, port: { name: "http" } } },
            },
          ],
        },
      },
    ],
  };
  const object = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec };
  const annotations = {
    "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(object),
    "cert-manager.io/cluster-issuer": "letsencrypt",
  };
  return { ...object, metadata: { ...metadata, annotations } };
}

export async function makeSecret(i: number, maker: CertificateMaker): Promise<Manifest> {
  const { crt, key } = await maker.make(hostOf(i));
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const { namespace, name } = metadataOf(i);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name: `${name}-tls`, annotations: { "cert-manager.io/certificate-name": name } },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encode(crt), "tls.key": encode(key) },
  };
}
