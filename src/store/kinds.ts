// SPDX-License-Identifier: Apache-2.0
/** The kinds a store holds, and the fields the API defines for them. */
import { toShape } from "../crd/check.ts";
import { type CustomKind, DEFINITIONS } from "../crd/definitions.ts";
import { API_VERSION } from "../crd/resource.ts";
import type { Shape } from "./shape.ts";

const strings: Shape = { list: "string" };
const stringMap: Shape = { map: "string" };

const metadata: Shape = {
  fields: {
    name: "string",
    namespace: "string",
    generateName: "string",
    labels: stringMap,
    annotations: stringMap,
    uid: "string",
    resourceVersion: "string",
    generation: "integer",
    selfLink: "string",
    creationTimestamp: "string",
    deletionTimestamp: "string",
    deletionGracePeriodSeconds: "integer",
    finalizers: strings,
    ownerReferences: "any",
    managedFields: "any",
  },
};

const typedReference: Shape = {
  fields: { apiGroup: "string", kind: "string", name: "string" },
  required: ["kind", "name"],
};

const ingressBackend: Shape = {
  fields: {
    service: {
      fields: { name: "string", port: { fields: { number: "integer", name: "string" } } },
      required: ["name"],
    },
    resource: typedReference,
  },
};

const ingress: Shape = {
  fields: {
    apiVersion: "string",
    kind: "string",
    metadata,
    spec: {
      fields: {
        ingressClassName: "string",
        defaultBackend: ingressBackend,
        tls: { list: { fields: { hosts: strings, secretName: "string" } } },
        rules: {
          list: {
            fields: {
              host: "string",
              http: {
                fields: {
                  paths: {
                    list: {
                      fields: { path: "string", pathType: "string", backend: ingressBackend },
                      required: ["backend", "pathType"],
                    },
                  },
                },
                required: ["paths"],
              },
            },
          },
        },
      },
    },
    status: "any",
  },
};

const ingressClass: Shape = {
  fields: {
    apiVersion: "string",
    kind: "string",
    metadata,
    spec: { fields: { controller: "string", parameters: "any" } },
  },
};

const service: Shape = {
  fields: {
    apiVersion: "string",
    kind: "string",
    metadata,
    spec: {
      fields: {
        type: "string",
        selector: stringMap,
        clusterIP: "string",
        clusterIPs: strings,
        externalName: "string",
        externalIPs: strings,
        ports: {
          list: {
            fields: {
              name: "string",
              port: "integer",
              targetPort: "integer-or-string",
              protocol: "string",
              nodePort: "integer",
              appProtocol: "string",
            },
            required: ["port"],
          },
        },
        ipFamilies: strings,
        ipFamilyPolicy: "string",
        sessionAffinity: "string",
        sessionAffinityConfig: "any",
        loadBalancerIP: "string",
        loadBalancerClass: "string",
        loadBalancerSourceRanges: strings,
        allocateLoadBalancerNodePorts: "boolean",
        externalTrafficPolicy: "string",
        internalTrafficPolicy: "string",
        trafficDistribution: "string",
        healthCheckNodePort: "integer",
        publishNotReadyAddresses: "boolean",
      },
    },
    status: "any",
  },
};

const secret: Shape = {
  fields: {
    apiVersion: "string",
    kind: "string",
    metadata,
    type: "string",
    data: stringMap,
    stringData: stringMap,
    immutable: "boolean",
  },
};

const endpointSlice: Shape = {
  fields: {
    apiVersion: "string",
    kind: "string",
    metadata,
    addressType: "string",
    endpoints: {
      list: {
        fields: {
          addresses: strings,
          conditions: { fields: { ready: "boolean", serving: "boolean", terminating: "boolean" } },
          hostname: "string",
          nodeName: "string",
          zone: "string",
          hints: {
            fields: {
              forZones: { list: { fields: { name: "string" }, required: ["name"] } },
              forNodes: { list: { fields: { name: "string" }, required: ["name"] } },
            },
          },
          targetRef: "any",
          deprecatedTopology: stringMap,
        },
        required: ["addresses"],
      },
    },
    ports: {
      list: { fields: { name: "string", port: "integer", protocol: "string", appProtocol: "string" } },
    },
  },
  required: ["addressType"],
};

const configMap: Shape = {
  fields: {
    apiVersion: "string",
    kind: "string",
    metadata,
    data: stringMap,
    binaryData: stringMap,
    immutable: "boolean",
  },
};

function custom(kind: CustomKind) {
  const { spec, namespaced } = DEFINITIONS[kind];
  const shape: Shape = {
    fields: { apiVersion: "string", kind: "string", metadata, spec: toShape(spec), status: "any" },
    required: ["spec"],
  };
  return { apiVersion: API_VERSION, namespaced, shape };
}

export interface KindRule {
  readonly apiVersion: string;
  readonly namespaced: boolean;
  readonly shape: Shape;
}

export const KINDS = {
  Ingress: { apiVersion: "networking.k8s.io/v1", namespaced: true, shape: ingress },
  IngressClass: { apiVersion: "networking.k8s.io/v1", namespaced: false, shape: ingressClass },
  Service: { apiVersion: "v1", namespaced: true, shape: service },
  Secret: { apiVersion: "v1", namespaced: true, shape: secret },
  EndpointSlice: { apiVersion: "discovery.k8s.io/v1", namespaced: true, shape: endpointSlice },
  ConfigMap: { apiVersion: "v1", namespaced: true, shape: configMap },
  BackendPolicy: custom("BackendPolicy"),
  ClientCertificatePolicy: custom("ClientCertificatePolicy"),
  TLSProfile: custom("TLSProfile"),
} as const satisfies Record<string, KindRule>;

export type StoredKind = keyof typeof KINDS;

export function isStoredKind(kind: string): kind is StoredKind {
  return Object.hasOwn(KINDS, kind);
}
