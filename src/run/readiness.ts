// SPDX-License-Identifier: Apache-2.0
import type { Applier } from "../apply/applier.ts";
import type { Loop } from "../loop/loop.ts";
import type { Source } from "../source/source.ts";
import type { DataPlane } from "../supervise/data-plane.ts";

export interface ReadinessInput {
  readonly source: Pick<Source, "synced" | "staleSince">;
  readonly applier: Pick<Applier, "applied">;
  readonly plane: Pick<DataPlane, "hitch" | "balance">;
  readonly stopping: boolean;
  readonly now: number;
  /** When the API server last answered anything; undefined without a cluster. */
  readonly answeredAt?: number | undefined;
}

/** So long a watch may fail before its cache counts as stale: far longer than any restart of an API server. */
const STALE_MS = 600_000;
/** An answer this young tells that the API server is there. */
const ANSWER_MS = 60_000;

/**
 * A cache is stale when changes have not been heard of for long although the API server answers: then it is this replica
 * that is deaf, and another one serves better. During an outage nobody hears of changes, and there are none; whoever was
 * ready stays so.
 */
export function isStale({ source, now, answeredAt }: ReadinessInput): boolean {
  if (source.staleSince === undefined || answeredAt === undefined) return false;
  return now - source.staleSince >= STALE_MS && now - answeredAt < ANSWER_MS;
}

/**
 * What is missing before traffic may come. A newer configuration that was refused is not: the last good one serves, and
 * taking every replica out of service for one bad object would be worse than the object.
 */
export function listMissing(input: ReadinessInput): string[] {
  const { source, applier, plane, stopping } = input;
  const missing: string[] = [];
  if (stopping) missing.push("shutting down");
  if (!source.synced) missing.push("the source has not synced");
  if (isStale(input))
    missing.push("the cache is stale: the API server answers, but changes are not heard of");
  for (const child of [plane.balance, plane.hitch]) {
    if (!child.ready) missing.push(`${child.name} is ${child.state.phase}`);
  }
  if (applier.applied.balance === undefined) missing.push("no configuration is live in balance");
  if (applier.applied.hitch === undefined) missing.push("no configuration is live in hitch");
  return missing;
}

/** Every step of a sync has its own time limit, and all of them together are far from this. */
const STUCK_MS = 300_000;

/** What a restart would mend: only a sync that will never end. Children are restarted from here. */
export function listBroken(loop: Pick<Loop, "busyMs">): string[] {
  if (loop.busyMs < STUCK_MS) return [];
  return [`a sync has been running for ${Math.round(loop.busyMs / 1000)} seconds`];
}
