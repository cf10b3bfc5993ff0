// SPDX-License-Identifier: Apache-2.0
/** A child that floods its output shall not drown the log. */
import type { Clock } from "../clock.ts";

export const LINES_PER_SECOND = 200;

export class LineLimiter {
  readonly #clock: Clock;
  readonly #emit: (line: string) => void;
  #second = 0;
  #count = 0;
  #dropped = 0;

  constructor(clock: Clock, emit: (line: string) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  push(line: string): void {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
      if (this.#dropped > 0) this.#emit(`(${this.#dropped} lines dropped)`);
      this.#dropped = 0;
    }
    this.#count++;
    if (this.#count <= LINES_PER_SECOND) this.#emit(line);
    else this.#dropped++;
  }
}
