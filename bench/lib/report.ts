// SPDX-License-Identifier: Apache-2.0
/** Samples → a table, a chart and JSON. */
import type { Sample, Scenario } from "../scenarios/scenario.ts";
import { median } from "./figures.ts";
import { toCell, toTable } from "./table.ts";

export interface Row {
  readonly peer: string;
  readonly ours: boolean;
  readonly mode: string;
  readonly samples: readonly Sample[];
}

export type Result = Pick<Scenario, "id" | "title" | "columns"> & { readonly rows: readonly Row[] };

const valuesOf = ({ samples }: Row, key: string) => samples.map((sample) => sample[key] ?? Number.NaN);

/** Of the others in the same mode: HTTP is compared with HTTP. */
function findBest(rows: readonly Row[], mode: string, key: string): number {
  const peers = rows.filter((row) => !row.ours && row.mode === mode && !row.peer.includes("process per"));
  return Math.min(...peers.map((row) => median(valuesOf(row, key))));
}

export function ratioOf(result: Result, row: Row): number {
  const key = result.columns[0]?.key ?? "";
  return median(valuesOf(row, key)) / findBest(result.rows, row.mode, key);
}

export function toMarkdown(result: Result): string {
  const { title, columns, rows } = result;
  const [first, ...others] = columns;
  if (first === undefined) return "";
  const head = ["proxy", `${first.label} (spread)`, "to the best peer", ...others.map(({ label }) => label)];
  const lines = rows.map((row) => {
    const values = valuesOf(row, first.key);
    const ratio = ratioOf(result, row);
    return [
      row.ours ? `**${row.peer}**` : row.peer,
      toCell(values, first.digits),
      Number.isFinite(ratio) ? ratio.toFixed(2) : "",
      ...others.map(({ key, digits }) => median(valuesOf(row, key)).toFixed(digits)),
    ];
  });
  return `### ${title}\n\n${toTable(head, lines)}\n`;
}

const BAR = { left: 264, width: 300, height: 18, gap: 8, top: 34 };

/** A bar for each proxy: less is better. */
export function toSvg({ title, columns, rows }: Result): string {
  const [first] = columns;
  if (first === undefined) return "";
  const values = rows.map((row) => median(valuesOf(row, first.key)));
  const most = Math.max(...values, Number.EPSILON);
  const bars = rows.map((row, i) => {
    const y = BAR.top + i * (BAR.height + BAR.gap);
    const value = values[i] ?? 0;
    const width = Math.max(1, (value / most) * BAR.width);
    return `  <text x="${BAR.left - 8}" y="${y + 13}" text-anchor="end">${row.peer}</text>
  <rect x="${BAR.left}" y="${y}" width="${width.toFixed(1)}" height="${BAR.height}" fill="${row.ours ? "#1a7f5a" : "#9aa5ae"}"/>
  <text x="${(BAR.left + width + 6).toFixed(1)}" y="${y + 13}">${value.toFixed(first.digits)}</text>`;
  });
  const height = BAR.top + rows.length * (BAR.height + BAR.gap) + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 ${height}" width="640" height="${height}" font-family="sans-serif" font-size="12" role="img">
  <title>${title}: ${first.label}</title>
  <rect width="640" height="${height}" fill="#ffffff"/>
  <text x="8" y="18" font-size="13" font-weight="bold">${title}: ${first.label}</text>
${bars.join("\n")}
</svg>
`;
}
