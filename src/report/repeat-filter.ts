// SPDX-License-Identifier: Apache-2.0
/** Lets through what has not been said for a while: one missing right fails for thousands of objects in the same way. */
import type { Clock } from "../clock.ts";

const QUIET_MS = 60_000;

export class RepeatFilter {
  readonly #clock: Clock;
  readonly #saidAt = new Map<string | number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when it is to be said. Keys come from a small set. */
  pass(key: string | number): boolean {
    const now = this.#clock.now();
    const before = this.#saidAt.get(key) ?? Number.NEGATIVE_INFINITY;
    if (now - before < QUIET_MS) return false;
    this.#saidAt.set(key, now);
    return true;
  }
}
