// SPDX-License-Identifier: Apache-2.0
/** Writes the conditions of our custom resources, where they differ. */
import type { StoredCondition } from "../crd/resource.ts";
import type { PolicyStatus } from "../model/policy-status.ts";
import { formatRef } from "../model/refs.ts";
import type { ObjectRef } from "../model/types.ts";
import { describeAnswer, isSuccess } from "../report/api.ts";
import { type ClusterWriterOptions, createWriteQueue } from "../report/cluster-writer.ts";
import { judgeFailure } from "../report/judge-answer.ts";
import { RepeatFilter } from "../report/repeat-filter.ts";
import type { WriteQueue, WriteResult } from "../report/write-queue.ts";
import { type ConditionWish, describeApply, describeConditions, isSameWish } from "./condition-wish.ts";

const RATE = { burst: 20, intervalMs: 50 };

/** What the cache has of an object's conditions; undefined when the object is gone. */
export type FindConditions = (ref: ObjectRef) => readonly StoredCondition[] | undefined;

export class ConditionWriter {
  readonly #options: ClusterWriterOptions;
  readonly #queue: WriteQueue<ConditionWish>;
  /** What was written, by key: the cache is behind for a moment. */
  readonly #written = new Map<string, ConditionWish>();
  readonly #complaints: RepeatFilter;

  constructor(options: ClusterWriterOptions) {
    this.#options = options;
    this.#complaints = new RepeatFilter(options.clock);
    this.#queue = createWriteQueue(options, {
      what: "conditions",
      rate: RATE,
      concurrency: 2,
      write: (key, wish) => this.#write(key, wish),
    });
  }

  update(statuses: readonly PolicyStatus[], find: FindConditions): void {
    const keys = new Set<string>();
    for (const status of statuses) {
      const stored = find(status.ref);
      if (stored === undefined) continue;
      const key = formatRef(status.ref);
      keys.add(key);
      const wish = describeConditions(status, stored, this.#options.wallTime());
      const written = this.#written.get(key);
      if (wish === undefined) this.#written.delete(key);
      if (wish === undefined || (written !== undefined && isSameWish(written, wish))) this.#queue.drop(key);
      else this.#queue.put(key, wish);
    }
    for (const key of this.#queue.keys()) if (!keys.has(key)) this.#queue.drop(key);
    for (const key of this.#written.keys()) if (!keys.has(key)) this.#written.delete(key);
  }

  /** Leadership came or went. */
  wake(): void {
    if (this.#options.allowed()) {
      this.#queue.wake();
      return;
    }
    this.#queue.clear();
    this.#written.clear();
  }

  async flush(): Promise<void> {
    await this.#queue.idle();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #write(key: string, wish: ConditionWish): Promise<WriteResult> {
    const { api, log } = this.#options;
    const answer = await api.request(describeApply(wish));
    if (isSuccess(answer)) {
      this.#written.set(key, wish);
      return "done";
    }
    // Another object has come in its place; what becomes of that one is told at the next sync.
    if (answer.status === 409) return "done";
    if (answer.status !== 404) {
      const level = this.#complaints.pass(answer.status) ? "warn" : "debug";
      log[level](
        { object: formatRef(wish.ref), detail: describeAnswer(answer) },
        "the conditions can't be written",
      );
    }
    return judgeFailure(answer);
  }
}
