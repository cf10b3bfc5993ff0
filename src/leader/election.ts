// SPDX-License-Identifier: Apache-2.0
/**
 * Leader election as client-go does it (tools/leaderelection), as a pure state machine. The times in the Lease are never
 * compared with our clock: what counts is how long ago, by our own clock, the record was last seen to change. So clocks of
 * different machines may differ as they like.
 */

export interface ElectionTimes {
  /** A record that has not changed for so long may be taken over. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long steps down. Shorter than `leaseMs`. */
  readonly renewMs: number;
  /** Time between two attempts. */
  readonly retryMs: number;
}

export const ELECTION_TIMES: ElectionTimes = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

/** spec of a coordination.k8s.io/v1 Lease. */
export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface ElectionState {
  /** The record as last seen, and when it was first seen so. */
  readonly observed?: { readonly text: string; readonly spec: LeaseSpec; readonly at: number };
  /** When our newest successful write was begun. */
  readonly renewedAt?: number;
  readonly leading: boolean;
}

export const INITIAL_STATE: ElectionState = { leading: false };

/** Takes in a record; `undefined` is a Lease that does not exist. */
export function observe(state: ElectionState, spec: LeaseSpec | undefined, now: number): ElectionState {
  if (spec === undefined) return withoutObserved(state);
  const text = JSON.stringify(spec, Object.keys(spec).sort());
  if (state.observed?.text === text) return state;
  return { ...state, observed: { text, spec, at: now } };
}

/** Whether the Lease is ours to write; the time from which on it may be, when it is not. */
export function judge(
  state: ElectionState,
  identity: string,
  times: ElectionTimes,
  now: number,
): { readonly mayWrite: true } | { readonly mayWrite: false; readonly expiresAt: number } {
  const { observed } = state;
  const holder = observed?.spec.holderIdentity ?? "";
  if (observed === undefined || holder === "" || holder === identity) return { mayWrite: true };
  // The holder's own promise counts, should replicas of two versions differ; never less than ours.
  const leaseMs = Math.max(times.leaseMs, (observed.spec.leaseDurationSeconds ?? 0) * 1000);
  const expiresAt = observed.at + leaseMs;
  return expiresAt <= now ? { mayWrite: true } : { mayWrite: false, expiresAt };
}

/** The record that makes `identity` the holder, or keeps it so. */
export function makeRecord(
  before: LeaseSpec | undefined,
  identity: string,
  times: ElectionTimes,
  time: string,
): LeaseSpec {
  const mine = before?.holderIdentity === identity;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(times.leaseMs / 1000),
    acquireTime: mine ? (before.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: mine || before === undefined ? transitions : transitions + 1,
  };
}

/** A released Lease names nobody and is taken at once by whoever looks. */
export function makeReleased(before: LeaseSpec, time: string): LeaseSpec {
  return {
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: time,
    renewTime: time,
    leaseTransitions: before.leaseTransitions ?? 0,
  };
}

/** Our write was taken. `startedAt` is when it was begun: others may have seen it that early. */
export function won(state: ElectionState, spec: LeaseSpec, startedAt: number): ElectionState {
  return { ...observe(state, spec, startedAt), leading: true, renewedAt: startedAt };
}

/** An attempt did not make us the holder. Another holder ends our time at once, want of an answer after `renewMs`. */
export function notWon(
  state: ElectionState,
  identity: string,
  times: ElectionTimes,
  now: number,
): ElectionState {
  if (!state.leading) return state;
  const holder = state.observed?.spec.holderIdentity ?? identity;
  const renewed = state.renewedAt ?? Number.NEGATIVE_INFINITY;
  return holder === identity && now - renewed < times.renewMs ? state : { ...state, leading: false };
}

/** A process that was stopped for a while must not act on what was true before. */
export function isLeading({ leading, renewedAt }: ElectionState, times: ElectionTimes, now: number): boolean {
  return leading && renewedAt !== undefined && now - renewedAt < times.leaseMs;
}

function withoutObserved({ observed: _gone, ...rest }: ElectionState): ElectionState {
  return rest;
}
