// SPDX-License-Identifier: Apache-2.0

const MAX_QUOTED = 80;

/**
 * Makes a value from an object fit for a message: JSON-escaped, printable ASCII only, at most 80 characters.
 * Control and non-ASCII characters become \uXXXX so that nobody's log or terminal obeys them.
 */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  let quoted = "";
  for (let i = 0; i < text.length; i++) {
    const next = escapeUnit(text.charAt(i));
    if (quoted.length + next.length > MAX_QUOTED) return `"${quoted}…" (${text.length} characters)`;
    quoted += next;
  }
  return `"${quoted}"`;
}

function escapeUnit(unit: string): string {
  const code = unit.charCodeAt(0);
  if (code > 0x7e) return `\\u${code.toString(16).padStart(4, "0")}`;
  return JSON.stringify(unit).slice(1, -1);
}
