// SPDX-License-Identifier: Apache-2.0
/** Writes status.loadBalancer.ingress of our own Ingresses, where it differs. */
import type { V1Ingress } from "@kubernetes/client-node";
import { formatRef, keyOf } from "../model/refs.ts";
import { type ApiAnswer, describeAnswer, isSuccess } from "../report/api.ts";
import { type ClusterWriterOptions, createWriteQueue } from "../report/cluster-writer.ts";
import { judgeFailure } from "../report/judge-answer.ts";
import { RepeatFilter } from "../report/repeat-filter.ts";
import { TokenBucket } from "../report/token-bucket.ts";
import type { WriteQueue, WriteResult } from "../report/write-queue.ts";
import { arrangeAddresses, isSameAddresses, type PublishedAddress } from "./addresses.ts";
import {
  describePatch,
  describeRead,
  describeWish,
  findVersion,
  readAddresses,
  type StatusWish,
} from "./status-wish.ts";

const RATE = { burst: 100, intervalMs: 10 };
/** Somebody else who writes the same status shall not make us write without end. */
const RATE_OF_ONE = { burst: 5, intervalMs: 10_000 };

export class StatusWriter {
  readonly #options: ClusterWriterOptions;
  readonly #queue: WriteQueue<StatusWish>;
  /** What was written, by key, on top of which version: the cache is behind for a moment. */
  readonly #written = new Map<string, StatusWish>();
  readonly #buckets = new Map<string, TokenBucket>();
  #wanted: readonly PublishedAddress[] = [];
  /** Objects, which never change, whose status is as wanted: of thousands few are new in a sync. */
  #right = new WeakSet<V1Ingress>();
  readonly #complaints: RepeatFilter;

  constructor(options: ClusterWriterOptions) {
    this.#options = options;
    this.#complaints = new RepeatFilter(options.clock);
    this.#queue = createWriteQueue(options, {
      what: "statuses",
      rate: RATE,
      concurrency: 4,
      write: (key, wish) => this.#write(key, wish),
    });
  }

  /** `ingresses` are all that are ours, as the cache has them. */
  update(ingresses: readonly V1Ingress[], addresses: readonly PublishedAddress[]): void {
    const wanted = arrangeAddresses(addresses);
    if (!isSameAddresses(wanted, this.#wanted)) this.#right = new WeakSet();
    this.#wanted = wanted;
    const keys = new Set<string>();
    for (const ingress of ingresses) {
      const { namespace = "", name = "" } = ingress.metadata ?? {};
      const key = `${namespace}/${name}`;
      keys.add(key);
      if (this.#right.has(ingress)) continue;
      const wish = describeWish(ingress, wanted);
      const isRight = isSameAddresses(readAddresses(ingress), wanted);
      if (isRight) this.#right.add(ingress);
      if (isRight || this.#isWritten(key, wish)) this.#queue.drop(key);
      else this.#queue.put(key, wish);
    }
    this.#forget(keys);
  }

  /** Takes our addresses out of the statuses, also where they were written so lately that the cache does not know. */
  clear(ingresses: readonly V1Ingress[], addresses: readonly PublishedAddress[]): void {
    for (const ingress of ingresses) {
      const wish = { ...describeWish(ingress, []), replaces: addresses };
      const seen = isSameAddresses(readAddresses(ingress), addresses);
      // Without a version the object is read first.
      this.#queue.put(keyOf(wish.ref), seen ? wish : { ...wish, resourceVersion: undefined });
    }
    this.#buckets.clear();
  }

  get waiting(): number {
    return this.#queue.size;
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

  /** Resolves when all that was to be written has been. */
  async flush(): Promise<void> {
    await this.#queue.idle();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #isWritten(key: string, wish: StatusWish): boolean {
    const written = this.#written.get(key);
    if (written === undefined) return false;
    return (
      written.resourceVersion === wish.resourceVersion && isSameAddresses(written.addresses, wish.addresses)
    );
  }

  #forget(keys: ReadonlySet<string>): void {
    for (const key of this.#queue.keys()) if (!keys.has(key)) this.#queue.drop(key);
    for (const key of this.#written.keys()) if (!keys.has(key)) this.#written.delete(key);
    for (const [key, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(key);
  }

  async #write(key: string, wish: StatusWish): Promise<WriteResult> {
    const wait = this.#takeTurn(key);
    if (wait > 0) return { againAfterMs: wait };
    const { api, log } = this.#options;
    const object = formatRef(wish.ref);
    let answer: ApiAnswer = { status: 409, body: undefined };
    if (wish.resourceVersion !== undefined) answer = await api.request(describePatch(wish));
    if (answer.status === 409) {
      // The object has changed since; the cache may take its time to say so.
      const fresh = await api.request(describeRead(wish));
      const version = isSuccess(fresh) ? findVersion(fresh.body as V1Ingress, wish) : undefined;
      if (isSuccess(fresh) && version === undefined) return "done";
      answer =
        version === undefined
          ? fresh
          : await api.request(describePatch({ ...wish, resourceVersion: version }));
    }
    if (isSuccess(answer)) {
      this.#written.set(key, wish);
      log.debug({ object, addresses: wish.addresses }, "status written");
      return "done";
    }
    if (answer.status !== 409 && answer.status !== 404) {
      const level = this.#complaints.pass(answer.status) ? "warn" : "debug";
      log[level]({ object, detail: describeAnswer(answer) }, "the status can't be written");
    }
    return judgeFailure(answer);
  }

  #takeTurn(key: string): number {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#options.clock, RATE_OF_ONE);
      this.#buckets.set(key, bucket);
    }
    return bucket.take();
  }
}
