// SPDX-License-Identifier: Apache-2.0
/** Keeps one program alive: carries out what the state machine decides. */
import { type Clock, pause } from "../clock.ts";
import {
  type ChildEffect,
  type ChildEvent,
  type ChildPolicy,
  type ChildState,
  DEFAULT_CHILD_POLICY,
  stepChild,
} from "./child-state.ts";
import type { Exit, ProcessSpec, Runner, RunningProcess } from "./runner.ts";

export interface ChildOptions {
  readonly name: string;
  readonly spec: ProcessSpec;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly policy?: ChildPolicy;
  /** Asked again and again while the child is starting: does it serve? */
  readonly probe: () => Promise<boolean>;
  readonly probeIntervalMs?: number;
  readonly onLine: (line: string) => void;
  /** Called after every change of the state. */
  readonly onState: (state: ChildState, exit: Exit | undefined) => void;
  /** Called when a process exists, before it is ready (to record its pid). */
  readonly onSpawn?: (pid: number) => void;
}

export class Child {
  readonly #options: ChildOptions;
  #state: ChildState = { phase: "stopped" };
  #process: RunningProcess | undefined;
  #cancelTimer: () => void = () => undefined;
  #stopped: (() => void)[] = [];
  #ended = false;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get state(): ChildState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Once stopped, a child stays so. */
  get ended(): boolean {
    return this.#ended;
  }

  start(): void {
    if (!this.#ended) this.#handle({ type: "start" });
  }

  /** False when there is no process to signal. */
  signal(name: NodeJS.Signals): boolean {
    return this.#process?.signal(name) ?? false;
  }

  /** Starts at once instead of waiting for the end of the back-off: what it choked on has changed. */
  retryNow(): void {
    if (!this.#ended) this.#handle({ type: "retry" });
  }

  /** SIGTERM, then SIGKILL to the group after `timeoutMs`. Resolves when the child is gone. */
  async stop(timeoutMs: number): Promise<void> {
    this.#ended = true;
    const gone = new Promise<void>((resolve) => this.#stopped.push(resolve));
    this.#handle({ type: "drain" });
    const cancel = this.#options.clock.after(timeoutMs, () => this.#handle({ type: "drain-timeout" }));
    if (this.#state.phase === "stopped") this.#announceStopped();
    await gone;
    cancel();
  }

  #handle(event: ChildEvent, exit?: Exit): void {
    const { clock, random, policy } = this.#options;
    const before = this.#state;
    const next = stepChild(before, event, clock.now(), random(), policy ?? DEFAULT_CHILD_POLICY);
    this.#state = next.state;
    for (const effect of next.effects) this.#carryOut(effect);
    if (next.state !== before) this.#options.onState(next.state, exit);
    if (next.state.phase === "stopped") this.#announceStopped();
  }

  #announceStopped(): void {
    const waiting = this.#stopped;
    this.#stopped = [];
    for (const resolve of waiting) resolve();
  }

  #carryOut(effect: ChildEffect): void {
    switch (effect.type) {
      case "spawn":
        this.#spawn();
        return;
      case "signal":
        this.#process?.signal(effect.name);
        return;
      case "kill-group":
        this.#process?.signalGroup("SIGKILL");
        return;
      case "timer":
        this.#cancelTimer();
        this.#cancelTimer = this.#options.clock.after(effect.afterMs, () =>
          this.#handle({ type: effect.event }),
        );
        return;
      case "cancel-timer":
        this.#cancelTimer();
        return;
    }
  }

  #spawn(): void {
    const { runner, spec, onSpawn, onLine } = this.#options;
    const child = runner.spawn(spec, onLine);
    this.#process = child;
    if (child.pid !== undefined) onSpawn?.(child.pid);
    void child.exited.then((exit) => {
      const error = exit.error?.message;
      this.#handle(error === undefined ? { type: "exited" } : { type: "exited", error }, exit);
      if (this.#process === child) this.#process = undefined;
    });
    void this.#watchReadiness(child);
  }

  async #watchReadiness(child: RunningProcess): Promise<void> {
    const { clock, probe, probeIntervalMs } = this.#options;
    while (this.#process === child && this.#state.phase === "starting") {
      const ready = await probe().catch(() => false);
      if (this.#process !== child || this.#state.phase !== "starting") return;
      if (ready) {
        this.#handle({ type: "ready" });
        return;
      }
      await pause(clock, probeIntervalMs ?? 50);
    }
  }
}
