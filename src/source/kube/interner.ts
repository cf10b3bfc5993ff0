// SPDX-License-Identifier: Apache-2.0

const MAX_STRINGS = 100_000;
const MAX_LENGTH = 253;

/** One copy of each name, however many objects say it: a Service's stands in its Ingress, its slices and four maps. */
export class Interner {
  #known = new Map<string, string>();

  share(text: string): string {
    if (text.length > MAX_LENGTH) return text;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    // Forgetting costs only memory that could have been shared.
    if (this.#known.size >= MAX_STRINGS) this.#known = new Map();
    this.#known.set(text, text);
    return text;
  }

  /** Shares every string in `value`, which must be as JSON.parse made it. */
  shareAll<T>(value: T): T {
    if (typeof value === "string") return this.share(value) as T;
    if (typeof value !== "object" || value === null) return value;
    const fields = value as Record<string, unknown>;
    for (const [key, item] of Object.entries(fields)) fields[key] = this.shareAll(item);
    return value;
  }
}
