// SPDX-License-Identifier: Apache-2.0
/**
 * A directory of manifests as a source. Watching only tells that something happened; what it was is found by looking at
 * the whole directory again, so no order of events, swap of symbolic links (ConfigMap volumes) or rename can mislead it.
 */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { Clock } from "../../clock.ts";
import { Debounce } from "../../loop/debounce.ts";
import { fileRef } from "../../model/refs.ts";
import type { Problem } from "../../model/types.ts";
import { assembleStore } from "../../store/assemble-store.ts";
import type { Snapshot, Source } from "../source.ts";
import { isSameScan, type Scan, scanManifests } from "./scan.ts";

export interface DirSourceOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Quiet time after the last event: a writer may be in the middle of a file. */
  readonly settleMs?: number;
  /** A look without any event, for file systems that send none. */
  readonly rescanMs?: number;
}

const EMPTY: Snapshot = { store: assembleStore([]).store, problems: [] };

export function createDirSource(options: DirSourceOptions): Source {
  return new DirSource(options);
}

class DirSource implements Source {
  readonly #options: DirSourceOptions;
  readonly #listeners = new Set<() => void>();
  readonly #debounce: Debounce;
  #watcher: FSWatcher | undefined;
  #scan: Scan = new Map();
  #snapshot: Snapshot = EMPTY;
  #rootProblem: Problem | undefined;
  #synced = false;
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();
  #cancelRescan: () => void = () => undefined;

  constructor(options: DirSourceOptions) {
    this.#options = options;
    const settleMs = options.settleMs ?? 50;
    this.#debounce = new Debounce(options.clock, { holdOffMs: settleMs, maxDelayMs: settleMs * 10 }, () =>
      this.#lookSoon(),
    );
  }

  get synced(): boolean {
    return this.#synced;
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    await stat(this.#options.path);
    await this.#watch();
    this.#scan = await scanManifests(this.#options.path, this.#scan);
    this.#publish();
    this.#scheduleRescan();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#debounce.cancel();
    this.#cancelRescan();
    this.#listeners.clear();
    await this.#watcher?.close();
    await this.#looking;
  }

  async #watch(): Promise<void> {
    const watcher = watch(this.#options.path, {
      ignoreInitial: true,
      // A symbolic link that comes to point elsewhere is a change of the link; its target need not be watched for that.
      followSymlinks: false,
      ignored: (path) => isHidden(path) && path !== this.#options.path,
    });
    this.#watcher = watcher;
    watcher.on("all", () => this.#debounce.trigger());
    watcher.on("raw", () => this.#debounce.trigger());
    // Out of inotify watches, for example: the regular look still finds every change, only later.
    watcher.on("error", () => this.#debounce.trigger());
    await new Promise<void>((resolve) => watcher.once("ready", resolve));
  }

  #scheduleRescan(): void {
    if (this.#stopped) return;
    this.#cancelRescan = this.#options.clock.after(this.#options.rescanMs ?? 10_000, () => {
      this.#lookSoon();
      this.#scheduleRescan();
    });
  }

  /** One look at a time, in order. */
  #lookSoon(): void {
    this.#looking = this.#looking.then(() => this.#look());
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const rootProblem = this.#rootProblem;
    try {
      const scan = await scanManifests(this.#options.path, this.#scan);
      this.#rootProblem = undefined;
      if (isSameScan(scan, this.#scan) && rootProblem === undefined) {
        this.#scan = scan;
        return;
      }
      this.#scan = scan;
    } catch (error) {
      // The directory itself is gone or unreadable: that removes nothing, as an API server's outage removes nothing.
      const why = error instanceof Error ? error.message : String(error);
      this.#rootProblem = {
        ref: fileRef(this.#options.path),
        severity: "error",
        reason: "UnreadableDirectory",
        message: `${this.#options.path} can't be read, so what was in it stays in use: ${why}`,
      };
      if (rootProblem?.message === this.#rootProblem.message) return;
    }
    if (!this.#stopped) this.#publish();
  }

  #publish(): void {
    const assembled = assembleStore([...this.#scan.values()].map((file) => file.parsed));
    const root = this.#rootProblem === undefined ? [] : [this.#rootProblem];
    this.#snapshot = { store: assembled.store, problems: [...assembled.problems, ...root] };
    this.#synced = true;
    for (const listener of this.#listeners) listener();
  }
}

/** Editors' and volumes' own files; `..data` is the link that a ConfigMap volume swaps. */
function isHidden(path: string): boolean {
  const name = basename(path);
  return (name.startsWith(".") && name !== "..data") || name.endsWith("~") || name === "node_modules";
}
