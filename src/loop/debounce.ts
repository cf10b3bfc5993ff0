// SPDX-License-Identifier: Apache-2.0
/** Waits for a burst of changes to end, but not for ever. */
import type { Clock } from "../clock.ts";

export interface DebounceOptions {
  /** Quiet time after the last change. */
  readonly holdOffMs: number;
  /** Longest time from the first change to the action. */
  readonly maxDelayMs: number;
}

export class Debounce {
  readonly #clock: Clock;
  readonly #options: DebounceOptions;
  readonly #action: () => void;
  #cancel: (() => void) | undefined;
  #firstAt = 0;

  constructor(clock: Clock, options: DebounceOptions, action: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#action = action;
  }

  trigger(): void {
    const now = this.#clock.now();
    if (this.#cancel === undefined) this.#firstAt = now;
    this.#cancel?.();
    const { holdOffMs, maxDelayMs } = this.#options;
    const delay = Math.max(0, Math.min(holdOffMs, this.#firstAt + maxDelayMs - now));
    this.#cancel = this.#clock.after(delay, () => {
      this.#cancel = undefined;
      this.#action();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
