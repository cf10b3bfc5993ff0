// SPDX-License-Identifier: Apache-2.0
/** Names of metrics in PromQL, and those that Evener has. */
import { createMetrics } from "../../../src/report/metrics.ts";

export async function listMetrics(): Promise<string[]> {
  const metrics = await createMetrics("0").registry.getMetricsAsJSON();
  return metrics.map(({ name }) => name);
}

export function findMetrics(text: string): string[] {
  const names = (text.match(/evener_[a-z_]+/g) ?? []).map((name) => name.replace(/_bucket$/, ""));
  return [...new Set(names)];
}
