// SPDX-License-Identifier: Apache-2.0
/** The life of one child as a pure state machine: state and event in, state and effects out. */
import { type BackoffPolicy, computeBackoff } from "./backoff.ts";

export type ChildState =
  | { readonly phase: "stopped" }
  | { readonly phase: "starting"; readonly deaths: number }
  | { readonly phase: "ready"; readonly deaths: number; readonly since: number }
  | { readonly phase: "draining" }
  | { readonly phase: "backoff"; readonly deaths: number; readonly until: number }
  /** It could not even be started (no such file, no permission). Tried again, but slowly. */
  | { readonly phase: "failed"; readonly deaths: number; readonly until: number; readonly message: string };

export type ChildPhase = ChildState["phase"];

export type ChildEvent =
  | { readonly type: "start" }
  | { readonly type: "ready" }
  /** Readiness did not come in time. */
  | { readonly type: "start-timeout" }
  | { readonly type: "exited"; readonly error?: string }
  /** The back-off is over. */
  | { readonly type: "retry" }
  | { readonly type: "drain" }
  /** The time for draining is over. */
  | { readonly type: "drain-timeout" };

export type ChildEffect =
  | { readonly type: "spawn" }
  | { readonly type: "signal"; readonly name: "SIGTERM" }
  /** The whole group: no orphan stays. */
  | { readonly type: "kill-group" }
  | { readonly type: "timer"; readonly event: "start-timeout" | "retry"; readonly afterMs: number }
  | { readonly type: "cancel-timer" };

export interface ChildPolicy {
  /** Back-off between deaths; the first restart comes at once or almost so. */
  readonly backoff: BackoffPolicy;
  /** Ready for so long means that earlier deaths no longer count. */
  readonly stableMs: number;
  readonly startTimeoutMs: number;
}

export const DEFAULT_CHILD_POLICY: ChildPolicy = {
  backoff: { firstMs: 200, maxMs: 30_000 },
  stableMs: 20_000,
  startTimeoutMs: 10_000,
};

export interface Transition {
  readonly state: ChildState;
  readonly effects: readonly ChildEffect[];
}

export function stepChild(
  state: ChildState,
  event: ChildEvent,
  now: number,
  random: number,
  policy: ChildPolicy = DEFAULT_CHILD_POLICY,
): Transition {
  switch (event.type) {
    case "start":
      return state.phase === "stopped" ? launch(0, policy) : stay(state);
    case "retry":
      return state.phase === "backoff" || state.phase === "failed"
        ? launch(state.deaths, policy)
        : stay(state);
    case "ready":
      if (state.phase !== "starting") return stay(state);
      return {
        state: { phase: "ready", deaths: state.deaths, since: now },
        effects: [{ type: "cancel-timer" }],
      };
    case "start-timeout":
      // Its exit event does the rest.
      return state.phase === "starting" ? { state, effects: [{ type: "kill-group" }] } : stay(state);
    case "exited":
      return recover(state, event.error, now, random, policy);
    case "drain":
      return drain(state);
    case "drain-timeout":
      return state.phase === "draining" ? { state, effects: [{ type: "kill-group" }] } : stay(state);
  }
}

function launch(deaths: number, policy: ChildPolicy): Transition {
  return {
    state: { phase: "starting", deaths },
    effects: [{ type: "spawn" }, { type: "timer", event: "start-timeout", afterMs: policy.startTimeoutMs }],
  };
}

function recover(
  state: ChildState,
  error: string | undefined,
  now: number,
  random: number,
  policy: ChildPolicy,
): Transition {
  switch (state.phase) {
    case "draining":
      return { state: { phase: "stopped" }, effects: [{ type: "kill-group" }, { type: "cancel-timer" }] };
    case "starting":
    case "ready": {
      const stable = state.phase === "ready" && now - state.since >= policy.stableMs;
      const deaths = (stable ? 0 : state.deaths) + 1;
      const afterMs =
        error === undefined ? computeBackoff(policy.backoff, deaths, random) : policy.backoff.maxMs;
      const until = now + afterMs;
      return {
        state:
          error === undefined
            ? { phase: "backoff", deaths, until }
            : { phase: "failed", deaths, until, message: error },
        effects: [
          { type: "kill-group" },
          { type: "cancel-timer" },
          { type: "timer", event: "retry", afterMs },
        ],
      };
    }
    case "stopped":
    case "backoff":
    case "failed":
      return stay(state);
  }
}

function drain(state: ChildState): Transition {
  switch (state.phase) {
    case "starting":
    case "ready":
      return {
        state: { phase: "draining" },
        effects: [{ type: "cancel-timer" }, { type: "signal", name: "SIGTERM" }],
      };
    case "backoff":
    case "failed":
      return { state: { phase: "stopped" }, effects: [{ type: "cancel-timer" }] };
    case "draining":
    case "stopped":
      return stay(state);
  }
}

function stay(state: ChildState): Transition {
  return { state, effects: [] };
}
