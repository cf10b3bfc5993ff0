// SPDX-License-Identifier: Apache-2.0
/** docs/reference/metrics.md: every metric with its type and labels, from the registry that /metrics is made of. */
import { Counter, Gauge } from "prom-client";
import { createMetrics } from "./metrics.ts";

const HEAD = `<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from src/report/metrics.ts by make generate. -->
# Metrics

\`/metrics\` on the health port (\`--healthz-port\`), in the text format of Prometheus. Counters of Balance are collected when somebody asks; they go on counting where Balance is restarted. A
series appears with its first event. The chart brings a ServiceMonitor, alerts and a dashboard ([operations](../operations.md#prometheus-and-grafana)).

| metric | type | labels | meaning |
|---|---|---|---|
`;

interface Described {
  readonly name: string;
  readonly help: string;
  /** prom-client has it in every metric of its own, though not in its types. */
  readonly labelNames?: readonly string[];
}

export function listMetrics(): readonly Described[] {
  const { registry } = createMetrics("0");
  return (registry.getMetricsAsArray() as unknown as Described[]).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

export function renderMetrics(): string {
  return HEAD + listMetrics().map(renderRow).join("");
}

function renderRow(metric: Described): string {
  const { name, help, labelNames = [] } = metric;
  const type = metric instanceof Counter ? "counter" : metric instanceof Gauge ? "gauge" : "histogram";
  const labels = labelNames.map((label) => `\`${label}\``).join(", ");
  return `| \`${name}\` | ${type} | ${labels} | ${help.replaceAll("|", "\\|")} |\n`;
}
