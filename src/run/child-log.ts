// SPDX-License-Identifier: Apache-2.0
/** What the children say, as log records. */
import type { Clock } from "../clock.ts";
import type { Logger } from "../report/log.ts";
import { LineLimiter } from "../supervise/line-limiter.ts";

export interface ChildLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly pid?: number;
  readonly text: string;
}

const LEVELS = { error: "error", warning: "warn", info: "info" } as const;
const BALANCE = /^balance\[(\d+)\]: (error|warning|info): (.*)$/s;
const HITCH = /^\d{8}T\d{6}\.\d+ \[ *(\d+)\] (?:\{\w+\} )?(.*)$/s;
/** The certificate probe, among others, leaves before the handshake is complete. */
const HALF_HANDSHAKE = /Handshake failure: .*unexpected eof/;
const HITCH_FAILURE = /^(?:ERROR\b|WARNING\b|Config reload failed)/;

/** Takes off the time, pid and level that the record has fields for. */
export function parseChildLine(line: string): ChildLine {
  const balance = BALANCE.exec(line);
  if (balance !== null) {
    const [, pid, level, text = ""] = balance;
    return { level: LEVELS[level as keyof typeof LEVELS], pid: Number(pid), text };
  }
  const hitch = HITCH.exec(line);
  const text = hitch?.[2] ?? line;
  const pid = hitch === null ? {} : { pid: Number(hitch[1]) };
  if (HALF_HANDSHAKE.test(text)) return { level: "debug", ...pid, text };
  return { level: HITCH_FAILURE.test(text) ? "warn" : "info", ...pid, text };
}

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
      limiter = new LineLimiter(this.#clock, (one) => this.#emit(child, one));
      this.#limiters.set(child, limiter);
    }
    limiter.push(line);
  }

  #emit(child: string, line: string): void {
    const { level, pid, text } = parseChildLine(line);
    this.#log[level]({ child, ...(pid === undefined ? {} : { pid }) }, text);
  }
}
