// SPDX-License-Identifier: Apache-2.0
/**
 * Stand-ins for the definitions of the Prometheus operator, with the fields that the chart uses: enough for the API server to
 * refuse a field that is misspelled or of the wrong type. (Names and types: the operator's API reference, monitoring.coreos.com/v1.)
 */
import type { Manifest } from "../../../e2e/lib/manifests.ts";

const GROUP = "monitoring.coreos.com";

const text = { type: "string" };
const texts = { type: "object", additionalProperties: text };
const duration = {
  type: "string",
  pattern: "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$",
};
const record = (properties: object, required: readonly string[] = []) => ({
  type: "object",
  ...(required.length > 0 ? { required } : {}),
  properties,
});
const list = (items: object) => ({ type: "array", items });
const relabelings = list(
  record({
    action: text,
    regex: text,
    replacement: text,
    separator: text,
    sourceLabels: list(text),
    targetLabel: text,
  }),
);

export const MONITORING_CRDS: readonly Manifest[] = [
  define("ServiceMonitor", "servicemonitors", ["endpoints", "selector"], {
    jobLabel: text,
    selector: record({ matchLabels: texts }),
    namespaceSelector: record({ any: { type: "boolean" }, matchNames: list(text) }),
    endpoints: list(
      record({
        port: text,
        path: text,
        interval: duration,
        scrapeTimeout: duration,
        honorLabels: { type: "boolean" },
        relabelings,
        metricRelabelings: relabelings,
      }),
    ),
  }),
  define("PrometheusRule", "prometheusrules", [], {
    groups: list(
      record(
        {
          name: { type: "string", minLength: 1 },
          rules: list(
            record(
              {
                alert: text,
                record: text,
                expr: {
                  anyOf: [{ type: "integer" }, { type: "string" }],
                  "x-kubernetes-int-or-string": true,
                },
                for: duration,
                labels: texts,
                annotations: texts,
              },
              ["expr"],
            ),
          ),
        },
        ["name"],
      ),
    ),
  }),
];

function define(kind: string, plural: string, required: readonly string[], spec: object): Manifest {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: { kind, plural },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: record({ spec: record(spec, required) }, ["spec"]) },
        },
      ],
    },
  };
}
