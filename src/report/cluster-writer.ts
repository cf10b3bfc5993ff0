// SPDX-License-Identifier: Apache-2.0
/** What everybody is given who writes to the cluster, and the queue of those whom nobody waits for. */
import type { Clock } from "../clock.ts";
import type { Api } from "./api.ts";
import type { Logger } from "./log.ts";
import type { Rate } from "./token-bucket.ts";
import { WriteQueue, type WriteResult } from "./write-queue.ts";

export interface ClusterAccess {
  readonly api: Api;
  /** Measures durations only, so it had better be monotonic. */
  readonly clock: Clock;
  /** What is written into objects, for people to read. */
  readonly wallTime: () => Date;
  readonly random: () => number;
  readonly log: Logger;
}

export interface ClusterWriterOptions extends ClusterAccess {
  /** Only one replica writes. */
  readonly allowed: () => boolean;
}

interface Kind<T> {
  /** In the plural. */
  readonly what: string;
  readonly rate: Rate;
  readonly concurrency: number;
  readonly write: (key: string, wish: T) => Promise<WriteResult>;
}

const BACKOFF = { firstMs: 500, maxMs: 60_000 };

export function createWriteQueue<T>(
  { clock, random, allowed, log }: ClusterWriterOptions,
  { what, rate, concurrency, write }: Kind<T>,
): WriteQueue<T> {
  const onError = (_key: string, err: unknown) => log.warn({ err }, `${what} can't be written now`);
  return new WriteQueue({ clock, random, rate, concurrency, backoff: BACKOFF, allowed, write, onError });
}
