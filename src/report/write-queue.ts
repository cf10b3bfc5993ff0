// SPDX-License-Identifier: Apache-2.0
/**
 * Writes to the API that nobody waits for: the newest wish per key, a few at a time, at a bounded rate. An API server that
 * does not answer pauses all of it; the wishes wait.
 */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import { type BackoffPolicy, computeBackoff } from "../supervise/backoff.ts";
import { type Rate, TokenBucket } from "./token-bucket.ts";

/**
 * `done`: finished, well or badly. `again`: this key's turn comes later, by back-off. `pause`: nobody's turn comes before
 * the back-off is over.
 */
export type WriteResult = "done" | "again" | "pause" | { readonly againAfterMs: number };

export interface WriteQueueOptions<T> {
  readonly clock: Clock;
  readonly random: () => number;
  readonly rate: Rate;
  readonly concurrency: number;
  readonly backoff: BackoffPolicy;
  /** False keeps the wishes waiting; `wake` when that has changed. */
  readonly allowed: () => boolean;
  readonly write: (key: string, wish: T) => Promise<WriteResult>;
  /** A write that threw, which counts as `pause`. */
  readonly onError: (key: string, error: unknown) => void;
}

interface Entry<T> {
  wish: T;
  notBefore: number;
  failures: number;
  busy: boolean;
  /** Changed while it was being written. */
  stale: boolean;
  /** Withdrawn while it was being written. */
  dropped: boolean;
}

export class WriteQueue<T> {
  readonly #options: WriteQueueOptions<T>;
  readonly #bucket: TokenBucket;
  readonly #entries = new Map<string, Entry<T>>();
  #busy = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #pauses = 0;
  #stopped = false;
  #cancelWake: () => void = () => undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(options: WriteQueueOptions<T>) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.clock, options.rate);
  }

  get size(): number {
    return this.#entries.size;
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  put(key: string, wish: T): void {
    const entry = this.#entries.get(key);
    const now = this.#options.clock.now();
    if (entry === undefined) {
      this.#entries.set(key, {
        wish,
        notBefore: now,
        failures: 0,
        busy: false,
        stale: false,
        dropped: false,
      });
    } else {
      entry.dropped = false;
      if (isDeepStrictEqual(entry.wish, wish)) return;
      entry.wish = wish;
      entry.stale = entry.busy;
      // What was wrong with the old wish need not be wrong with this one.
      entry.notBefore = now;
    }
    this.wake();
  }

  /** Withdraws a wish; one that is being written is finished all the same. */
  drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.busy) entry.dropped = true;
    else this.#entries.delete(key);
    this.#tellIdle();
  }

  clear(): void {
    for (const key of this.keys()) this.drop(key);
  }

  /** Looks for what can be written now. */
  wake(): void {
    this.#cancelWake();
    const { allowed, concurrency, clock } = this.#options;
    if (this.#stopped || !allowed()) return;
    while (this.#busy < concurrency) {
      const now = clock.now();
      const next = this.#pausedUntil > now ? undefined : this.#findDue(now);
      if (next === undefined) break;
      const wait = this.#bucket.take();
      if (wait > 0) {
        this.#wakeAfter(wait);
        return;
      }
      void this.#writeOne(next.key, next.entry);
    }
    this.#planWake();
  }

  /** Resolves when nothing is left to write, or is being written. */
  async idle(): Promise<void> {
    if (this.#entries.size === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Begins no further write; resolves when those begun have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWake();
    this.clear();
    await this.idle();
  }

  #findDue(now: number): { key: string; entry: Entry<T> } | undefined {
    for (const [key, entry] of this.#entries) {
      if (!entry.busy && entry.notBefore <= now) return { key, entry };
    }
    return undefined;
  }

  #planWake(): void {
    if (this.#busy >= this.#options.concurrency) return;
    const waiting = [...this.#entries.values()].filter((entry) => !entry.busy);
    if (waiting.length === 0) return;
    const due = waiting.reduce((least, entry) => Math.min(least, entry.notBefore), Number.POSITIVE_INFINITY);
    this.#wakeAfter(Math.max(due, this.#pausedUntil) - this.#options.clock.now());
  }

  #wakeAfter(ms: number): void {
    this.#cancelWake = this.#options.clock.after(Math.max(1, ms), () => this.wake());
  }

  async #writeOne(key: string, entry: Entry<T>): Promise<void> {
    const { write, onError } = this.#options;
    entry.busy = true;
    entry.stale = false;
    this.#busy += 1;
    let result: WriteResult = "pause";
    try {
      result = await write(key, entry.wish);
    } catch (error) {
      onError(key, error);
    }
    this.#busy -= 1;
    entry.busy = false;
    this.#settle(key, entry, result);
    this.#tellIdle();
    this.wake();
  }

  #settle(key: string, entry: Entry<T>, result: WriteResult): void {
    const { clock, random, backoff } = this.#options;
    const now = clock.now();
    if (result !== "pause") this.#pauses = 0;
    if (this.#stopped || entry.dropped || (result === "done" && !entry.stale)) {
      this.#entries.delete(key);
      return;
    }
    // The others go first; the first in line never starves them.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (result === "done") {
      entry.failures = 0;
    } else if (result === "again") {
      entry.failures += 1;
      entry.notBefore = now + computeBackoff(backoff, entry.failures, random());
    } else if (result === "pause") {
      this.#pauses += 1;
      this.#pausedUntil = now + computeBackoff(backoff, this.#pauses, random());
    } else {
      entry.notBefore = now + result.againAfterMs;
    }
  }

  #tellIdle(): void {
    if (this.#entries.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}
