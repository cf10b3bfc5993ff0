// SPDX-License-Identifier: Apache-2.0
/** The one loop: changes come in, one sync at a time goes out, failures come back later. */
import type { Clock } from "../clock.ts";
import { type BackoffPolicy, computeBackoff } from "../supervise/backoff.ts";
import { Debounce, type DebounceOptions } from "./debounce.ts";

export interface SyncResult {
  readonly ok: boolean;
  /** Not a failure, but there is more to do at this time. */
  readonly again?: number;
}

export interface LoopOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly debounce: DebounceOptions;
  readonly backoff: BackoffPolicy;
  /** Without any change: certificates expire, and what was lost is found again. */
  readonly resyncMs: number;
  readonly sync: () => Promise<SyncResult>;
  /** A sync that threw: a bug or a broken machine; the loop goes on. */
  readonly onError: (error: unknown) => void;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #debounce: Debounce;
  #running: Promise<void> | undefined;
  #dirty = false;
  #stopped = true;
  #failures = 0;
  #cancelNext: () => void = () => undefined;
  #syncingSince: number | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#debounce = new Debounce(options.clock, options.debounce, () => this.#run());
  }

  start(): void {
    this.#stopped = false;
    this.#run();
  }

  /** How long the present sync has been running. */
  get busyMs(): number {
    return this.#syncingSince === undefined ? 0 : this.#options.clock.now() - this.#syncingSince;
  }

  /** Something changed. */
  trigger(): void {
    if (!this.#stopped) this.#debounce.trigger();
  }

  /** Resolves when the sync that runs now has ended; none starts afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#debounce.cancel();
    this.#cancelNext();
    await this.#running;
  }

  #run(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#dirty = true;
      return;
    }
    this.#cancelNext();
    this.#running = this.#syncOnce().finally(() => {
      this.#running = undefined;
      if (!this.#dirty) return;
      this.#dirty = false;
      this.trigger();
    });
  }

  async #syncOnce(): Promise<void> {
    const { clock, random, backoff, resyncMs, sync, onError } = this.#options;
    let result: SyncResult = { ok: false };
    this.#syncingSince = clock.now();
    try {
      result = await sync();
    } catch (error) {
      onError(error);
    }
    this.#syncingSince = undefined;
    this.#failures = result.ok ? 0 : this.#failures + 1;
    if (this.#stopped) return;
    const waits = [resyncMs];
    if (!result.ok) waits.push(computeBackoff(backoff, this.#failures, random()));
    if (result.again !== undefined) waits.push(Math.max(0, result.again - clock.now()));
    this.#cancelNext = clock.after(Math.min(...waits), () => this.#run());
  }
}
