// SPDX-License-Identifier: Apache-2.0
import type { Applier } from "../apply/applier.ts";
import type { Loop } from "../loop/loop.ts";
import type { Source } from "../source/source.ts";
import type { DataPlane } from "../supervise/data-plane.ts";

export interface ReadinessInput {
  readonly source: Pick<Source, "synced">;
  readonly applier: Pick<Applier, "applied">;
  readonly plane: Pick<DataPlane, "hitch" | "balance">;
  readonly stopping: boolean;
}

/**
 * What is missing before traffic may come. A newer configuration that was refused is not: the last good one serves, and
 * taking every replica out of service for one bad object would be worse than the object.
 */
export function listMissing({ source, applier, plane, stopping }: ReadinessInput): string[] {
  const missing: string[] = [];
  if (stopping) missing.push("shutting down");
  if (!source.synced) missing.push("the source has not synced");
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
