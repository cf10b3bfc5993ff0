// SPDX-License-Identifier: Apache-2.0

const MAX_QUOTED = 80;

/**
 * Makes a value from an object fit for a message: JSON-escaped, printable ASCII only, at most 80 characters.
 * Control and non-ASCII characters become \uXXXX so that nobody's log or terminal obeys them.
 */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const head = text.length > MAX_QUOTED ? text.slice(0, MAX_QUOTED) : text;
  const escaped = JSON.stringify(head).replace(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  if (escaped.length <= MAX_QUOTED && head.length === text.length) return escaped;
  // Cutting may leave half an escape sequence at the end: take it away too.
  const cut = escaped.slice(0, MAX_QUOTED - 2).replace(/\\(u[0-9a-f]{0,3})?$/, "");
  return `${cut.endsWith('"') && cut.length > 1 ? cut.slice(0, -1) : cut}…" (${text.length} characters)`;
}
