// SPDX-License-Identifier: Apache-2.0
/** Bounds a rate: `burst` at once, then one every `intervalMs`. */
import type { Clock } from "../clock.ts";

export interface Rate {
  readonly burst: number;
  readonly intervalMs: number;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = clock.now();
  }

  /** 0 when a token was taken, else the time until there is one. */
  take(): number {
    this.#refill();
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) * this.#rate.intervalMs);
    this.#tokens -= 1;
    return 0;
  }

  /** Nothing is owed: a bucket like a new one need not be kept. */
  get full(): boolean {
    this.#refill();
    return this.#tokens >= this.#rate.burst;
  }

  #refill(): void {
    const now = this.#clock.now();
    const gained = Math.max(0, now - this.#at) / this.#rate.intervalMs;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#at = now;
  }
}
