// SPDX-License-Identifier: Apache-2.0
/** docs/crds.md: every field with its type, bounds and meaning, from the same schemas that the API server gets. */
import { CUSTOM_KINDS, DEFINITIONS, type Definition } from "./definitions.ts";
import type { JsonSchema } from "./schema.ts";

const HEAD = `<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from src/crd by make generate. -->
# Custom resources

\`evener.io/v1alpha1\`. What an Ingress can't say is said here; Evener works without any of them, and without their definitions.

## Install

Helm installs the definitions with the chart and never changes them afterwards. Before an upgrade:

\`\`\`sh cluster
kubectl apply --server-side --force-conflicts -f charts/evener/crds/
\`\`\`

Where they are installed later, a running Evener finds them within a minute. \`kubectl get evener\` lists all objects of these kinds.

## Who has the say

1. A policy wins over an annotation, an annotation over the class (TLSProfile), the class over the flags of the command line, those over the default. It is settled
   field by field: what a policy does not say is left to the others.
2. Of two policies of a kind that are about the same thing the oldest wins, whole; of equally old ones the first by name. The other one has the condition
   \`Conflicted\`, which names the winner. A BackendPolicy that names a port has the say there before one about all ports, whatever their age.
3. An object that is not well-formed has no effect and is named in \`status.yaml\`, the log and an Event. In a cluster the API server refuses it; in a directory of
   manifests, and where the cluster has older definitions, Evener checks the same schema itself. A ClientCertificatePolicy that is not well-formed
   protects nothing, so check manifests with \`evener lint\` before they are served; one that is well-formed and can't be carried out closes its hosts.

## Status

| condition | is True when |
|---|---|
| \`Accepted\` | it is well-formed and what it refers to is there |
| \`Programmed\` | what was rendered for Hitch and Balance holds it |
| \`Conflicted\` | an older object says it already, for all or some of the targets |
`;

export function renderReference(): string {
  return [HEAD, ...CUSTOM_KINDS.map((kind) => renderKind(DEFINITIONS[kind]))].join("\n");
}

function renderKind({ kind, plural, shortNames, namespaced, doc, spec }: Definition): string {
  const names = [plural, ...shortNames].map((name) => `\`${name}\``).join(", ");
  const rules = [...listRules(spec, "spec")];
  return [
    `## ${kind}\n`,
    `${doc}\n`,
    `${namespaced ? "Belongs to a namespace" : "Belongs to no namespace"}. For kubectl: ${names}.\n`,
    "| field | type | meaning |",
    "|---|---|---|",
    ...listRows(spec, "spec", true),
    "",
    ...(rules.length === 0 ? [] : ["What holds between fields:\n", ...rules.map((rule) => `* ${rule}`), ""]),
  ].join("\n");
}

function* listRows(schema: JsonSchema, path: string, required: boolean): Generator<string> {
  const name = required ? `\`${path}\` (required)` : `\`${path}\``;
  yield `| ${name} | ${describeType(schema)} | ${escapeCell(schema.description ?? "")} |`;
  const inner = schema.type === "array" ? schema.items : schema;
  const below = schema.type === "array" ? `${path}[]` : path;
  for (const [key, json] of Object.entries(inner?.properties ?? {})) {
    yield* listRows(json, `${below}.${key}`, inner?.required?.includes(key) ?? false);
  }
}

function describeType(schema: JsonSchema): string {
  const { type, items, maxItems, minimum, maximum } = schema;
  if (schema.enum !== undefined)
    return schema.enum.map((word) => `\`${word === "" ? '""' : word}\``).join(", ");
  if (schema["x-kubernetes-int-or-string"] === true) return "number or name";
  switch (type) {
    case "array":
      return `list of up to ${maxItems}: ${items?.type === "object" ? "objects" : describeType(items ?? {})}`;
    case "integer":
      return `whole number from ${minimum} to ${maximum}`;
    case "string":
      return escapeCell(ownRule(schema)?.message.replace(/^must be /, "") ?? "text");
    case "boolean":
      return "true or false";
    default:
      return "object";
  }
}

/** The rule that says which form a text has. */
function ownRule(schema: JsonSchema) {
  return schema["x-kubernetes-validations"]?.find(({ rule }) => rule.startsWith("self.matches("));
}

function* listRules(schema: JsonSchema, path: string): Generator<string> {
  if (schema.type === "object" || schema.type === "array") {
    for (const { message } of schema["x-kubernetes-validations"] ?? []) yield `\`${path}\`: ${message}.`;
  }
  for (const [key, json] of Object.entries(schema.properties ?? {})) yield* listRules(json, `${path}.${key}`);
  if (schema.items !== undefined) yield* listRules(schema.items, `${path}[]`);
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("*.", "\\*.");
}
