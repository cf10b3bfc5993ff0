// SPDX-License-Identifier: Apache-2.0
/** Tables in Markdown, and the cells that figures become. */
import { median, spread } from "./figures.ts";

export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** `median (least–most)`; nothing where nothing was measured. */
export function toCell(values: readonly number[], digits = 1): string {
  return values.length === 0 ? "" : `${median(values).toFixed(digits)} (${spread(values, digits)})`;
}

/** Of medians; nothing where there is nothing to compare with. */
export function toRatio(values: readonly number[], others: readonly number[]): string {
  const ratio = median(values) / median(others);
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "";
}
