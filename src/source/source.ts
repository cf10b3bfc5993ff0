// SPDX-License-Identifier: Apache-2.0
/** What every source of objects (a directory, a cluster) promises. test/source/contract.ts proves it. */
import type { Problem, Store } from "../model/types.ts";

export interface Snapshot {
  readonly store: Store;
  /** What could not be read; the objects last read in its place are still in the store. */
  readonly problems: readonly Problem[];
}

export interface Source {
  /** Begins to watch. Resolves when the first complete snapshot is there; rejects when there can be none. */
  start(): Promise<void>;
  /** Ends watching; no listener is called afterwards. */
  stop(): Promise<void>;
  /** True once a complete snapshot has been seen. Nothing may be applied before. */
  readonly synced: boolean;
  /**
   * Since when (in the clock's milliseconds) changes may have been missed for now; undefined or absent while everything is
   * heard of at once.
   */
  readonly staleSince?: number | undefined;
  /** Calls `listener` after every change of the snapshot; returns the function that ends it. */
  onChange(listener: () => void): () => void;
  /** The newest state; immutable, so that two calls can be compared. */
  snapshot(): Snapshot;
}
