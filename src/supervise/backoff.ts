// SPDX-License-Identifier: Apache-2.0
/** Exponential back-off with jitter: many replicas that fail together shall not retry together. */

export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Delay before attempt `failures` (from 1). `random` is in [0, 1); at least half of the full delay is kept. */
export function computeBackoff(policy: BackoffPolicy, failures: number, random: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 30);
  const full = Math.min(policy.firstMs * 2 ** doublings, policy.maxMs);
  return Math.round(full * (0.5 + random / 2));
}
