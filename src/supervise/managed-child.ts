// SPDX-License-Identifier: Apache-2.0
/** A supervised child as the rest of the controller uses it: log lines, readiness, what it last said. */
import { ApplyError } from "../apply/errors.ts";
import type { Clock } from "../clock.ts";
import { Child, type ChildOptions } from "./child.ts";
import type { ChildState } from "./child-state.ts";
import type { Exit } from "./runner.ts";

export interface ManagedChildOptions extends Omit<ChildOptions, "onState" | "onLine"> {
  readonly onState: (state: ChildState, exit: Exit | undefined) => void;
  readonly onLine: (line: string) => void;
}

export class ManagedChild {
  readonly #child: Child;
  readonly #clock: Clock;
  readonly #lineListeners = new Set<(line: string) => void>();
  readonly #stateListeners = new Set<(state: ChildState) => void>();
  #lastLine = "";

  constructor(options: ManagedChildOptions) {
    this.#clock = options.clock;
    this.#lineListeners.add(options.onLine);
    this.#child = new Child({
      ...options,
      onLine: (line) => {
        this.#lastLine = line;
        for (const listener of this.#lineListeners) listener(line);
      },
      onState: (state, exit) => {
        options.onState(state, exit);
        for (const listener of [...this.#stateListeners]) listener(state);
      },
    });
  }

  get name(): string {
    return this.#child.name;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get state(): ChildState {
    return this.#child.state;
  }

  get ready(): boolean {
    return this.#child.state.phase === "ready";
  }

  signal(name: NodeJS.Signals): boolean {
    return this.#child.signal(name);
  }

  onLine(listener: (line: string) => void): () => void {
    this.#lineListeners.add(listener);
    return () => this.#lineListeners.delete(listener);
  }

  stop(timeoutMs: number): Promise<void> {
    return this.#child.stop(timeoutMs);
  }

  /** Starts it unless it runs. Rejects at its first death, with what it last said, or when it takes too long. */
  async ensureReady(timeoutMs = 15_000): Promise<void> {
    if (this.ready) return;
    if (this.#child.ended) throw new ApplyError("NOT_RUNNING", `${this.name} has been stopped`);
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => {
        cancel();
        this.#stateListeners.delete(listener);
        if (error === undefined) resolve();
        else reject(error);
      };
      const fail = (what: string) =>
        finish(
          new ApplyError("UNVERIFIED", `${this.name} ${what}${this.#lastLine && `: ${this.#lastLine}`}`),
        );
      const listener = (state: ChildState) => {
        if (state.phase === "ready") finish();
        if (state.phase === "failed") finish(new ApplyError("UNVERIFIED", `${this.name}: ${state.message}`));
        if (state.phase === "backoff") fail("ended at its start");
        if (state.phase === "stopped") fail("was stopped");
      };
      const cancel = this.#clock.after(timeoutMs, () => fail(`was not ready within ${timeoutMs} ms`));
      this.#stateListeners.add(listener);
      this.#child.start();
      this.#child.retryNow();
    });
  }
}
