// SPDX-License-Identifier: Apache-2.0
/**
 * What to do next about one list-and-watch, decided without any I/O. A watch is resumed where it ended as long as the
 * server takes its resource version; only when it does not, or when resuming gets nowhere, everything is listed again.
 */
import { type BackoffPolicy, computeBackoff } from "../../supervise/backoff.ts";
import type { Failure } from "./failure.ts";

export interface ReflectorState {
  /** Where a watch goes on; undefined while a list is needed. */
  readonly version?: string;
  /** Where a list goes on. */
  readonly token?: string;
  /** False once a continue token has expired: the next list comes in one piece. */
  readonly paged: boolean;
  /** Failures in a row. */
  readonly failures: number;
  /** Watches in a row from one version that the server ended badly without any event. */
  readonly barren: number;
  /** A complete list has been seen. */
  readonly synced: boolean;
}

export type ReflectorEvent =
  | { readonly type: "due" }
  | { readonly type: "page"; readonly version: string; readonly token?: string }
  /** An event or a bookmark: nothing before `version` will be needed again. */
  | { readonly type: "progress"; readonly version: string }
  /** `lastedMs` since the server agreed to a watch; 0 when it did not, and for a list. */
  | { readonly type: "ended"; readonly failure: Failure; readonly lastedMs: number };

export type Action =
  | { readonly type: "list"; readonly token?: string; readonly limit?: number }
  | { readonly type: "watch"; readonly version: string }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "go-on" };

export interface Step {
  readonly state: ReflectorState;
  readonly action: Action;
}

export const INITIAL: ReflectorState = { paged: true, failures: 0, barren: 0, synced: false };

const PAGE = 500;
/** A watch that ends sooner has not been one. */
const SHORT_MS = 1000;
const MAX_BARREN = 3;
/** Everybody is cut off when an API server restarts: short at first, and jittered. */
const BROKEN: BackoffPolicy = { firstMs: 200, maxMs: 10_000 };
const REFUSED: BackoffPolicy = { firstMs: 500, maxMs: 30_000 };

export function step(state: ReflectorState, event: ReflectorEvent, random: number): Step {
  switch (event.type) {
    case "due":
      return { state, action: chooseNext(state) };
    case "page":
      return takePage(state, event);
    case "progress":
      return {
        state: { ...state, version: event.version, failures: 0, barren: 0 },
        action: { type: "go-on" },
      };
    case "ended":
      return takeEnd(state, event.failure, event.lastedMs, random);
  }
}

function chooseNext({ version, token, paged }: ReflectorState): Action {
  if (version !== undefined) return { type: "watch", version };
  return { type: "list", ...(token === undefined ? {} : { token }), ...(paged ? { limit: PAGE } : {}) };
}

function takePage(state: ReflectorState, { version, token }: ReflectorEvent & { type: "page" }): Step {
  const { token: _old, ...rest } = state;
  const next: ReflectorState =
    token === undefined
      ? { ...rest, version, paged: true, failures: 0, synced: true }
      : { ...rest, token, failures: 0 };
  return { state: next, action: chooseNext(next) };
}

function takeEnd(before: ReflectorState, failure: Failure, lastedMs: number, random: number): Step {
  const wasGood = lastedMs >= SHORT_MS;
  if (wasGood && failure.kind === "closed") {
    const state = { ...before, failures: 0, barren: 0 };
    return { state, action: chooseNext(state) };
  }
  const failures = (wasGood ? 0 : before.failures) + 1;
  const state = forgetWhatIsOver({ ...before, failures }, failure);
  return { state, action: { type: "wait", ms: computeWait(failure, failures, random) } };
}

/** What the server has forgotten is no place to go on from. */
function forgetWhatIsOver(state: ReflectorState, failure: Failure): ReflectorState {
  const { version, token, ...rest } = state;
  if (failure.kind === "status" && failure.code === 410) {
    return { ...rest, barren: 0, paged: token === undefined };
  }
  if (version === undefined || !isBarren(failure)) return state;
  const barren = state.barren + 1;
  return barren >= MAX_BARREN ? { ...rest, barren: 0 } : { ...state, barren };
}

/**
 * An answer that may be about the version itself: one that the server has not reached yet ("Too large resource version",
 * after etcd was restored), or an event that can't be read. Of an overloaded or unreachable server a list would only ask more.
 */
function isBarren(failure: Failure): boolean {
  if (failure.kind === "status") return [400, 404, 500, 504].includes(failure.code);
  return failure.kind === "garbled" || failure.kind === "closed";
}

function computeWait(failure: Failure, failures: number, random: number): number {
  const policy = failure.kind === "status" && failure.code !== 410 ? REFUSED : BROKEN;
  const wait = computeBackoff(policy, failures, random);
  const asked = failure.kind === "status" ? (failure.retryAfterMs ?? 0) : 0;
  // Never earlier than asked, and not all at that moment.
  return asked === 0 ? wait : asked + Math.round(random * Math.max(1000, asked / 2));
}
