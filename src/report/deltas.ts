// SPDX-License-Identifier: Apache-2.0
/** Turns counters that begin anew (a restarted Balance, a channel that left and came back) into growth. */

export class Deltas {
  #before = new Map<string, number>();
  #next = new Map<string, number>();

  /** Growth of `key` since the last round. A value that shrank was counted anew from zero. */
  grow(key: string, value: number): number {
    const before = this.#before.get(key) ?? 0;
    this.#next.set(key, value);
    return value >= before ? value - before : value;
  }

  /** Ends a round: what was not seen in it is forgotten. */
  finish(): void {
    this.#before = this.#next;
    this.#next = new Map();
  }
}
