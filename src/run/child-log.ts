// SPDX-License-Identifier: Apache-2.0
/** What the children say, as log records. */
import type { Clock } from "../clock.ts";
import type { Logger } from "../report/log.ts";
import { LineLimiter } from "../supervise/line-limiter.ts";

/** Hitch begins its lines with time and pid, which the record has already. */
const HITCH_PREFIX = /^\d{8}T\d{6}\.\d+ \[ *(\d+)\] (?:\{\w+\} )?/;
/** The certificate probe, among others, leaves before the handshake is complete. */
const HALF_HANDSHAKE = /Handshake failure: .*unexpected eof/;

export class ChildLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #limiters = new Map<string, LineLimiter>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  write(child: string, line: string): void {
    let limiter = this.#limiters.get(child);
    if (limiter === undefined) {
      limiter = new LineLimiter(this.#clock, (text) => this.#emit(child, text));
      this.#limiters.set(child, limiter);
    }
    limiter.push(line);
  }

  #emit(child: string, line: string): void {
    const level = HALF_HANDSHAKE.test(line) ? "debug" : "info";
    const pid = HITCH_PREFIX.exec(line)?.[1];
    this.#log[level](
      { child, ...(pid === undefined ? {} : { pid: Number(pid) }) },
      line.replace(HITCH_PREFIX, ""),
    );
  }
}
