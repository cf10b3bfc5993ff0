// SPDX-License-Identifier: Apache-2.0
/** README.md of the chart, made of the comments of values.yaml. */
import type { FlagFacts } from "./flags.ts";
import type { ValueGroup } from "./values-doc.ts";

const HEAD = `<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from values.yaml by charts/tools/generate.ts (make chart-generate). -->
# Chart evener

Evener on Kubernetes: one Deployment or DaemonSet, its IngressClass, Service and permissions. How to install, the modes and upgrades:
[docs/chart.md](../../docs/chart.md).

Every value is below with its default. An unknown key is refused, and values that contradict each other are refused with a sentence that says
what to do.
`;

export function renderReadme(
  groups: readonly ValueGroup[],
  flags: Readonly<Record<string, FlagFacts>>,
): string {
  const parts = groups.map(({ title, values }) => {
    const rows = values.map(
      ({ path, text, value }) => `| \`${path.join(".")}\` | ${formatDefault(value)} | ${escapeCell(text)} |`,
    );
    return `## ${title}\n\n| value | default | what it is |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  const flagRows = Object.entries(flags).map(([name, { description, repeatable }]) => {
    return `| \`${name}\` | ${escapeCell(description)}${repeatable && !description.includes("repeatable") ? " (repeatable)" : ""} |`;
  });
  const flagPart = `## Flags for \`config\`\n\n| flag | what it is |\n|---|---|\n${flagRows.join("\n")}\n`;
  return [HEAD, ...parts, flagPart].join("\n");
}

function formatDefault(value: unknown): string {
  return value === undefined ? "" : `\`${escapeCell(JSON.stringify(value))}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
