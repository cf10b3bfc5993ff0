// SPDX-License-Identifier: Apache-2.0
/** Tables for people: columns as wide as what is in them, numbers to the right. */

/** A title in front of `>` stands over numbers: `>ACTIVE`. */
export function formatTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const right = titles.map((title) => title.startsWith(">"));
  const lines = [titles.map((title, i) => (right[i] ? title.slice(1) : title)), ...rows].map((cells) =>
    cells.map(printable),
  );
  const widths = titles.map((_, i) => Math.max(...lines.map((cells) => cells[i]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** `name  value` lines. */
export function formatFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join("");
}

/** Whatever it says, no terminal obeys it. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

export function formatBytes(bytes: number): string {
  const units = ["", "K", "M", "G", "T", "P"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${units[unit]}`;
}

export function formatDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole}s`;
}
