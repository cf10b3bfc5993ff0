// SPDX-License-Identifier: Apache-2.0
/** Writes Events, at a rate that neither one bad object nor a thousand can make a nuisance. */
import { formatRef, keyOf } from "../model/refs.ts";
import { type ApiAnswer, describeAnswer, isSuccess } from "../report/api.ts";
import { type ClusterWriterOptions, createWriteQueue } from "../report/cluster-writer.ts";
import { judgeFailure } from "../report/judge-answer.ts";
import { RepeatFilter } from "../report/repeat-filter.ts";
import { TokenBucket } from "../report/token-bucket.ts";
import type { WriteQueue, WriteResult } from "../report/write-queue.ts";
import { EventBook } from "./event-book.ts";
import { describeCreate, describeRead, describeRepeat } from "./event-object.ts";
import { type EventWish, keyOfEvent } from "./event-wish.ts";

export interface EventWriterOptions extends ClusterWriterOptions {
  /** Who reports: the pod's name. */
  readonly instance: string;
}

const RATE = { burst: 50, intervalMs: 100 };
const RATE_OF_ONE = { burst: 10, intervalMs: 60_000 };

export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #queue: WriteQueue<EventWish>;
  readonly #book = new EventBook();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #complaints: RepeatFilter;
  /** Keys of what nobody will ask us to tell again. */
  readonly #once = new Set<string>();

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#complaints = new RepeatFilter(options.clock);
    this.#queue = createWriteQueue(options, {
      what: "Events",
      rate: RATE,
      concurrency: 2,
      write: (key, wish) => this.#write(key, wish),
    });
  }

  /** `wishes` is all that is wrong now. */
  update(wishes: readonly EventWish[]): void {
    const { due, gone } = this.#book.update(wishes, this.#options.clock.now());
    for (const key of gone) this.#queue.drop(key);
    for (const [key, wish] of due) this.#queue.put(key, wish);
    for (const [key, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(key);
  }

  /** Something that happens once. */
  tell(wish: EventWish): void {
    const key = keyOfEvent(wish);
    this.#once.add(key);
    this.#queue.put(key, wish);
  }

  /** Leadership came or went. */
  wake(): void {
    if (this.#options.allowed()) {
      this.#queue.wake();
      return;
    }
    // Should we lead again: that it was told by another meanwhile does no harm.
    for (const key of this.#queue.keys()) if (!this.#once.has(key)) this.#queue.drop(key);
    this.#book.clear();
  }

  async flush(): Promise<void> {
    await this.#queue.idle();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #write(key: string, wish: EventWish): Promise<WriteResult> {
    const { clock, log } = this.#options;
    const wait = this.#takeTurn(wish);
    if (wait > 0) return { againAfterMs: wait };
    const answer = await this.#send(key, wish);
    if (isSuccess(answer)) {
      this.#once.delete(key);
      this.#book.told(key, clock.now());
      return "done";
    }
    const namespaceEnds = answer.status === 403 && describeAnswer(answer).includes("being terminated");
    if (namespaceEnds) {
      this.#once.delete(key);
      return "done";
    }
    if (answer.status !== 409 && answer.status !== 404) {
      const object = formatRef(wish.regarding);
      const level = this.#complaints.pass(answer.status) ? "warn" : "debug";
      log[level](
        { object, reason: wish.reason, detail: describeAnswer(answer) },
        "the Event can't be written",
      );
    }
    // An Event that ended between two requests is made anew.
    return answer.status === 404 ? "again" : judgeFailure(answer);
  }

  /** Makes the Event, or counts on when it is there already, by this process or another. */
  async #send(key: string, wish: EventWish): Promise<ApiAnswer> {
    const { api, wallTime, instance } = this.#options;
    if (!this.#book.wasTold(key)) {
      const created = await api.request(describeCreate(wish, key, { instance }, wallTime()));
      if (created.status !== 409) return created;
      // That an object is served is said once.
      if (wish.type === "Normal") return { status: 200, body: undefined };
    }
    const existing = await api.request(describeRead(wish, key));
    if (existing.status === 404) {
      return api.request(describeCreate(wish, key, { instance }, wallTime()));
    }
    if (!isSuccess(existing)) return existing;
    return api.request(describeRepeat(wish, key, existing.body, wallTime()));
  }

  #takeTurn({ regarding }: EventWish): number {
    const object = `${regarding.kind} ${keyOf(regarding)}`;
    let bucket = this.#buckets.get(object);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#options.clock, RATE_OF_ONE);
      this.#buckets.set(object, bucket);
    }
    return bucket.take();
  }
}
