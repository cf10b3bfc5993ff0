// SPDX-License-Identifier: Apache-2.0
/** docs/annotations.md: every annotation with its values, bounds and meaning, from the table that they are read with. */
import { compareText } from "../refs.ts";
import { ACCESS } from "./access.ts";
import { BALANCING } from "./balancing.ts";
import { CLIENT_CERTIFICATES } from "./client-certificates.ts";
import { NGINX, OURS } from "./find-values.ts";
import { HEALTH } from "./health.ts";
import { LANE } from "./lane.ts";
import { LIMITS } from "./limits.ts";
import { REDIRECTS } from "./redirects.ts";
import { REWRITES } from "./rewrites.ts";
import type { AnnotationSpec, FaultEffect } from "./spec.ts";
import { UNSUPPORTED } from "./unsupported.ts";

type Family = Readonly<Record<string, AnnotationSpec<unknown>>>;

/** Each annotation of the table is in one of them. */
export const SECTIONS: readonly (readonly [title: string, family: Family])[] = [
  ["Lanes and protocols", LANE],
  ["Redirects", REDIRECTS],
  ["Paths", REWRITES],
  ["Who may ask", ACCESS],
  ["Client certificates", CLIENT_CERTIFICATES],
  ["Sizes, times, how much at a time", LIMITS],
  ["Which endpoint", BALANCING],
  ["Health of endpoints", HEALTH],
];

const HEAD = `<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from src/model/annotations by make generate. -->
# Annotations

Names begin with \`${OURS}\`; those with an N are read with \`${NGINX}\` in front, too, and mean the same there. Those with an S are read on
Services as well, with \`${OURS}\` only: they say something about how a Service's endpoints are used, whichever Ingress leads there.

A value that can't be read, a name that is not known and an annotation that has no effect get a Warning Event on the object, a line in the log and an
entry in \`status.yaml\`. What a wrong value does besides:

| in the table | a wrong value |
|---|---|
| | has no effect |
| *left out* | the rules of the Ingress are left out: without the annotation they would lead to the wrong place |
| *closed* | the rules of the Ingress answer 403 (in the TCP lane: are left out): without the annotation they would let in whom they should not |
`;

const WHO_WINS = `## Who wins

A [BackendPolicy](crds.md) wins over the Service's annotations, those over the Ingress's, those over the default: field by field, so that what one does not say is
left to the others. An endpoint's pool has the Service port's name, \`shop/web:80\`. An Ingress that asks for something else than the Service's pools have gets a pool of its
own, with what it asks for in its name (\`shop/web:80/t5-r3600\`, \`shop/web:80/least-connections.maxconn-100\`); Ingresses that ask for the same share it. Turns, limits and
counters are those of a pool, in each Evener by itself: three replicas with \`maxconn: 100\` let 300 through.

## Zones

Evener knows its own zone by \`--zone\` (in the chart: the pod's label \`topology.kubernetes.io/zone\`, or the value \`zone\`). Without it all endpoints are the same.

* When all ready endpoints of a Service carry hints (\`hints.forZones\` of EndpointSlices) and any of them is meant for our zone, those come first.
* Otherwise, where the Service has \`trafficDistribution: PreferClose\` or \`PreferSameZone\` or \`prefer-zone\` is set, the endpoints of our own zone come first.

The others follow when none of the first can be reached, and backup Services after them.
`;

const EFFECTS: Readonly<Record<FaultEffect, string>> = {
  ignore: "",
  refuse: "*left out*",
  close: "*closed*",
};

export function renderAnnotations(): string {
  return [
    HEAD,
    WHO_WINS,
    ...SECTIONS.map(([title, family]) => renderSection(title, Object.values(family))),
    renderUnsupported(),
  ].join("\n");
}

function renderSection(title: string, specs: readonly AnnotationSpec<unknown>[]): string {
  return [
    `## ${title}\n`,
    "| annotation | value | meaning | read | wrong |",
    "|---|---|---|---|---|",
    ...specs.map(renderRow),
    "",
  ].join("\n");
}

function renderRow({ name, alias, type, doc, nginx, scope, onFault }: AnnotationSpec<unknown>): string {
  const names = [name, ...(alias === undefined ? [] : [alias])].map((one) => `\`${one}\``).join(", ");
  const read = [...(nginx ? ["N"] : []), ...(scope === "backend" ? ["S"] : [])].join(" ");
  return `| ${[names, type, doc, read, EFFECTS[onFault]].map(escapeCell).join(" | ")} |`;
}

function renderUnsupported(): string {
  const names = [...UNSUPPORTED].sort(([a], [b]) => compareText(a, b));
  const row = ([name, { effect, instead = "" }]: (typeof names)[number]) =>
    `| ${[`\`${name}\``, instead, EFFECTS[effect]].map(escapeCell).join(" | ")} |`;
  return [
    "## Known, but not supported\n",
    "They are told about wherever they ask for something. Annotations that carry configuration text (`…-snippet`) are never taken.\n",
    "| annotation | instead | with it |",
    "|---|---|---|",
    ...names.map(row),
    "",
  ].join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
