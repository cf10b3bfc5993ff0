// SPDX-License-Identifier: Apache-2.0
import { EMPTY_STORE } from "../../src/model/empty-store.ts";
import type { Store } from "../../src/model/types.ts";
import type { MadeCertificate } from "./certificates.ts";

/** A store of `count` Ingresses with a host, two paths, a Service, a slice of two endpoints and a TLS Secret each. */
export function manyIngresses(count: number, certificates: readonly MadeCertificate[]): Store {
  const ingresses: unknown[] = [];
  const services: unknown[] = [];
  const slices: unknown[] = [];
  const secrets: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const metadata = { namespace: `team-${i % 100}`, name: `web-${i}` };
    const host = `h${i}.example`;
    const backend = { service: { name: metadata.name, port: { name: "http" } } };
    const { crt = "", key = "" } = certificates[i % Math.max(certificates.length, 1)] ?? {};
    ingresses.push({
      metadata: { ...metadata, creationTimestamp: new Date(1.7e12 + ((i * 7919) % count) * 1000) },
      spec: {
        ingressClassName: "evener",
        tls: [{ hosts: [host], secretName: metadata.name }],
        rules: [
          {
            host,
            http: {
              paths: [
                { path: "/", pathType: "Prefix", backend },
                { path: "/api", pathType: "Exact", backend },
              ],
            },
          },
        ],
      },
    });
    services.push({ metadata, spec: { ports: [{ name: "http", port: 80 }] } });
    slices.push({
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": metadata.name } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }],
      endpoints: [
        { addresses: [`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`] },
        { addresses: ["10.255.0.1"] },
      ],
    });
    if (certificates.length > 0) {
      const data = {
        "tls.crt": Buffer.from(crt).toString("base64"),
        "tls.key": Buffer.from(key).toString("base64"),
      };
      secrets.push({ metadata, type: "kubernetes.io/tls", data });
    }
  }
  return {
    ...EMPTY_STORE,
    ingresses: byKey(ingresses),
    ingressClasses: new Map(),
    services: byKey(services),
    endpointSlices: byKey(slices),
    secrets: byKey(secrets),
  } as unknown as Store;
}

function byKey(objects: readonly unknown[]): Map<string, unknown> {
  return new Map(
    objects.map((object) => {
      const { metadata } = object as { metadata: { namespace: string; name: string } };
      return [`${metadata.namespace}/${metadata.name}`, object];
    }),
  );
}
