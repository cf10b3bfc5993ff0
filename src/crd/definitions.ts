// SPDX-License-Identifier: Apache-2.0
/** Our custom resources: names, scope and schema of each, and the CustomResourceDefinition made of them. */
import { BACKEND_POLICY } from "./backend-policy.ts";
import { CLIENT_CERTIFICATE_POLICY } from "./client-certificate-policy.ts";
import { API_VERSION } from "./resource.ts";
import type { JsonSchema } from "./schema.ts";
import { type ConditionType, STATUS } from "./status.ts";
import { TLS_PROFILE } from "./tls-profile.ts";

const [GROUP = "", VERSION = ""] = API_VERSION.split("/");

interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly priority?: number;
}

export interface Definition {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly doc: string;
  readonly spec: JsonSchema;
  readonly columns: readonly Column[];
}

export const DEFINITIONS = {
  BackendPolicy: {
    kind: "BackendPolicy",
    plural: "backendpolicies",
    shortNames: ["bepol"],
    namespaced: true,
    doc: "How Balance spreads connections over the endpoints of Services, with which limits, times and checks.",
    spec: BACKEND_POLICY.json,
    columns: [
      { name: "Targets", type: "string", jsonPath: ".spec.targetRefs[*].name" },
      { name: "Strategy", type: "string", jsonPath: ".spec.loadBalancing.strategy", priority: 1 },
    ],
  },
  ClientCertificatePolicy: {
    kind: "ClientCertificatePolicy",
    plural: "clientcertificatepolicies",
    shortNames: ["ccpol"],
    namespaced: true,
    doc: "Which hosts ask clients for a certificate, and from which authorities.",
    spec: CLIENT_CERTIFICATE_POLICY.json,
    columns: [
      { name: "Mode", type: "string", jsonPath: ".spec.mode" },
      { name: "Targets", type: "string", jsonPath: ".spec.targetRefs[*].name", priority: 1 },
      { name: "Hosts", type: "string", jsonPath: ".spec.hosts", priority: 1 },
    ],
  },
  TLSProfile: {
    kind: "TLSProfile",
    plural: "tlsprofiles",
    shortNames: ["tlsprof"],
    namespaced: false,
    doc: "TLS settings of an IngressClass, which names it in spec.parameters.",
    spec: TLS_PROFILE.json,
    columns: [],
  },
} as const satisfies Record<string, Definition>;

export type CustomKind = keyof typeof DEFINITIONS;

export const CUSTOM_KINDS = Object.keys(DEFINITIONS) as readonly CustomKind[];

export function isCustomKind(kind: string): kind is CustomKind {
  return Object.hasOwn(DEFINITIONS, kind);
}

/** The object that `kubectl apply` gets. */
export function describeDefinition(definition: Definition) {
  const { kind, plural, shortNames, namespaced, doc, spec, columns } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}`, labels: { "app.kubernetes.io/name": "evener" } },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ["evener"],
      },
      scope: namespaced ? "Namespaced" : "Cluster",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [...columns, ...listStatusColumns(), AGE],
          schema: { openAPIV3Schema: describeObject(doc, spec) },
        },
      ],
    },
  };
}

const AGE: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

function listStatusColumns(): readonly Column[] {
  const column = (type: ConditionType, priority?: number): Column => ({
    name: type,
    type: "string",
    jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
    ...(priority === undefined ? {} : { priority }),
  });
  return [column("Accepted"), column("Programmed"), column("Conflicted", 1)];
}

function describeObject(description: string, spec: JsonSchema): JsonSchema {
  return {
    type: "object",
    description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      spec,
      status: STATUS,
    },
  };
}
