// SPDX-License-Identifier: Apache-2.0
/** Writes status.loadBalancer.ingress of our own Ingresses, where it differs. */
import type { V1Ingress } from "@kubernetes/client-node";
import type { Clock } from "../clock.ts";
import { formatRef, keyOf, refOf } from "../model/refs.ts";
import type { ObjectRef } from "../model/types.ts";
import {
  type Api,
  type ApiAnswer,
  type ApiRequest,
  describeAnswer,
  FIELD_MANAGER,
  isSuccess,
  MERGE_PATCH,
} from "../report/api.ts";
import { judgeFailure } from "../report/judge-answer.ts";
import type { Logger } from "../report/log.ts";
import { RepeatFilter } from "../report/repeat-filter.ts";
import { TokenBucket } from "../report/token-bucket.ts";
import { WriteQueue, type WriteResult } from "../report/write-queue.ts";
import { arrangeAddresses, isSameAddresses, type PublishedAddress } from "./addresses.ts";

export interface StatusWriterOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Only one replica writes. */
  readonly allowed: () => boolean;
}

interface Wish {
  readonly ref: ObjectRef;
  /** Of the object that the decision was made on, as is its class. */
  readonly resourceVersion: string | undefined;
  readonly className: string;
  readonly addresses: readonly PublishedAddress[];
  /** Only in place of these. */
  readonly replaces?: readonly PublishedAddress[];
}

const RATE = { burst: 100, intervalMs: 10 };
const BACKOFF = { firstMs: 500, maxMs: 60_000 };
/** Somebody else who writes the same status shall not make us write without end. */
const RATE_OF_ONE = { burst: 5, intervalMs: 10_000 };

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #queue: WriteQueue<Wish>;
  /** What was written, by key, on top of which version: the cache is behind for a moment. */
  readonly #written = new Map<string, Wish>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #complaints: RepeatFilter;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const { clock, random, allowed, log } = options;
    this.#complaints = new RepeatFilter(clock);
    this.#queue = new WriteQueue({
      clock,
      random,
      rate: RATE,
      concurrency: 4,
      backoff: BACKOFF,
      allowed,
      write: (key, wish) => this.#write(key, wish),
      onError: (_key, error) => log.warn({ err: error }, "statuses can't be written now"),
    });
  }

  /** `ingresses` are all that are ours, as the cache has them. */
  update(ingresses: readonly V1Ingress[], addresses: readonly PublishedAddress[]): void {
    const wanted = arrangeAddresses(addresses);
    const keys = new Set<string>();
    for (const ingress of ingresses) {
      const key = keyOf(refOf("Ingress", ingress));
      keys.add(key);
      const wish = describeWish(ingress, wanted);
      if (isSameAddresses(readAddresses(ingress), wanted) || this.#isWritten(key, wish))
        this.#queue.drop(key);
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

  #isWritten(key: string, wish: Wish): boolean {
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

  async #write(key: string, wish: Wish): Promise<WriteResult> {
    const wait = this.#takeTurn(key);
    if (wait > 0) return { againAfterMs: wait };
    const { api, log } = this.#options;
    const object = formatRef(wish.ref);
    let answer: ApiAnswer = { status: 409, body: undefined };
    if (wish.resourceVersion !== undefined) answer = await api.request(describePatch(wish));
    if (answer.status === 409) {
      // The object has changed since; the cache may take its time to say so.
      const fresh = await api.request({ method: "GET", path: pathOf(wish.ref) });
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

function describeWish(ingress: V1Ingress, addresses: readonly PublishedAddress[]): Wish {
  const { resourceVersion } = ingress.metadata ?? {};
  return { ref: refOf("Ingress", ingress), resourceVersion, className: readClass(ingress), addresses };
}

/** What the object says of its class, not yet what that means. */
function readClass({ spec, metadata }: V1Ingress): string {
  return JSON.stringify([spec?.ingressClassName, metadata?.annotations?.["kubernetes.io/ingress.class"]]);
}

/** The version to patch; undefined when there is nothing to write, or the object is not the one that was decided on. */
function findVersion(fresh: V1Ingress, { ref, className, addresses, replaces }: Wish): string | undefined {
  if (ref.uid !== undefined && fresh.metadata?.uid !== ref.uid) return undefined;
  if (readClass(fresh) !== className) return undefined;
  const current = readAddresses(fresh);
  if (isSameAddresses(current, addresses)) return undefined;
  if (replaces !== undefined && !isSameAddresses(current, replaces)) return undefined;
  return fresh.metadata?.resourceVersion;
}

export function readAddresses(ingress: V1Ingress): readonly PublishedAddress[] {
  return (ingress.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ({
    ...(ip === undefined ? {} : { ip }),
    ...(hostname === undefined ? {} : { hostname }),
  }));
}

/**
 * With uid and version the patch is refused (409) when the object is no longer the one that was looked at: it may have come
 * to another class, or be another of the same name.
 */
function describePatch(wish: Wish): ApiRequest {
  const { ref, resourceVersion, addresses } = wish;
  const uid = ref.uid === undefined ? {} : { uid: ref.uid };
  return {
    method: "PATCH",
    path: `${pathOf(ref)}/status?${FIELD_MANAGER}`,
    contentType: MERGE_PATCH,
    body: {
      metadata: { ...uid, resourceVersion },
      status: { loadBalancer: { ingress: addresses.length === 0 ? null : addresses } },
    },
  };
}

function pathOf({ namespace = "", name }: ObjectRef): string {
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`;
}
