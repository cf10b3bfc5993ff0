// SPDX-License-Identifier: Apache-2.0
/** Time as a dependency, so that tests own it. */

export interface Clock {
  now(): number;
  /** Calls `action` after `ms`; returns the function that cancels it. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** Goes on evenly whatever happens to the time of day; its zero means nothing. */
export const monotonicClock: Clock = { now: () => performance.now(), after: systemClock.after };

/** Resolves after `ms`, or at once when `signal` is aborted. */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const finish = () => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** Resolves when `promise` does, or after `ms`; leaves no timer behind. */
export async function waitAtMost(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  const time = new AbortController();
  try {
    await Promise.race([promise, pause(clock, Math.max(0, ms), time.signal)]);
  } finally {
    time.abort();
  }
}
