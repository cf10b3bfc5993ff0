// SPDX-License-Identifier: Apache-2.0
/** What the model builds pools from has to survive the trimming of what a cluster sends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";
import { Interner } from "../../../src/source/kube/interner.ts";
import { trimEndpointSlice, trimService } from "../../../src/source/kube/trim.ts";

test("endpoints keep their zone and the zones they are meant for", () => {
  const slice: V1EndpointSlice = {
    metadata: {
      namespace: "shop",
      name: "web-1",
      labels: { "kubernetes.io/service-name": "web", app: "web" },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [
      {
        addresses: ["10.0.0.1"],
        conditions: { ready: true },
        nodeName: "node-1",
        zone: "eu-1a",
        hints: { forZones: [{ name: "eu-1b" }], forNodes: [{ name: "node-2" }] },
        targetRef: { kind: "Pod", name: "web-abc" },
      },
      { addresses: ["10.0.0.2"] },
    ],
  };
  assert.deepEqual(trimEndpointSlice(slice, new Interner()).endpoints, [
    {
      addresses: ["10.0.0.1"],
      conditions: { ready: true },
      zone: "eu-1a",
      hints: { forZones: [{ name: "eu-1b" }] },
    },
    { addresses: ["10.0.0.2"] },
  ]);
});

test("Services keep what is said of their pools", () => {
  const annotations = { "evener.io/load-balance": "first" };
  const service: V1Service = {
    metadata: { namespace: "shop", name: "web", annotations: { ...annotations, "example.org/note": "text" } },
    spec: {
      clusterIP: "10.96.0.1",
      selector: { app: "web" },
      trafficDistribution: "PreferClose",
      ports: [{ port: 80 }],
    },
  };
  const { metadata, spec } = trimService(service, new Interner());
  assert.deepEqual(metadata?.annotations, annotations);
  assert.deepEqual(spec, {
    clusterIP: "10.96.0.1",
    trafficDistribution: "PreferClose",
    ports: [{ port: 80 }],
  });
});
