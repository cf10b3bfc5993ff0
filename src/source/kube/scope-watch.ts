// SPDX-License-Identifier: Apache-2.0
/** One scope with its reflector, its objects, and how it is doing. */
import type { Clock } from "../../clock.ts";
import type { Transport } from "../../kube/transport.ts";
import type { ObjectRef, Problem } from "../../model/types.ts";
import type { Logger } from "../../report/log.ts";
import { KINDS } from "../../store/kinds.ts";
import { describeFailure, type Failure } from "./failure.ts";
import type { Interner } from "./interner.ts";
import { ObjectCache } from "./object-cache.ts";
import { Reflector, type Timing } from "./reflector.ts";
import type { ReflectorState } from "./reflector-state.ts";
import { formatScope, isOptional, pathOfScope, type Scope, selectorOfScope } from "./watched-kinds.ts";

export interface ScopeWatchOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing: Timing;
  readonly log: Logger;
  readonly interner: Interner;
}

/** A restart of the API server is over by then; whoever still fails has a problem worth telling. */
const MANY_FAILURES = 6;

export class ScopeWatch {
  readonly scope: Scope;
  readonly cache: ObjectCache;
  readonly #reflector: Reflector;
  readonly #options: ScopeWatchOptions;
  readonly #onChange: () => void;
  #failure:
    | { readonly last: Failure; readonly since: number; readonly many: boolean; told: boolean }
    | undefined;

  constructor(scope: Scope, options: ScopeWatchOptions, onChange: () => void) {
    this.scope = scope;
    this.#options = options;
    this.#onChange = onChange;
    this.cache = new ObjectCache(scope.kind, options.interner, onChange);
    const fieldSelector = selectorOfScope(scope);
    this.#reflector = new Reflector({
      path: pathOfScope(scope),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...options,
      sink: this.cache,
      onSynced: onChange,
      onFailure: (failure, state, waitMs) => this.#noteFailure(failure, state, waitMs),
      onConnected: () => this.#noteConnected(),
    });
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  renew(): void {
    this.#reflector.renew();
  }

  /** All is known of it; of what is not there, or of a single object that we may not read, all is known as well. */
  get settled(): boolean {
    return this.#reflector.synced || this.#isDenied || this.#isAbsent;
  }

  /**
   * Since when changes have not been heard of; undefined while they are. A right that is missing is missing for all replicas,
   * and to be told (problems), not a deafness of this one.
   */
  get staleSince(): number | undefined {
    return this.#isRefused || this.#isAbsent ? undefined : this.#failure?.since;
  }

  *problems(): Generator<Problem> {
    yield* this.cache.problems();
    const failure = this.#failure;
    if (failure === undefined || this.#isAbsent || (!failure.many && !this.#isDenied)) return;
    const what = formatScope(this.scope);
    const why = describeFailure(failure.last);
    const message = this.#isDenied
      ? `${this.scope.name === undefined ? `${what} ` : ""}may not be read, and is as good as absent: ${why}`
      : `${what} can't be watched for now, and what was last known stays in use: ${why}`;
    const reason = this.#isDenied ? "ReadForbidden" : "WatchFailing";
    // What is optional is not missed by whoever does not use it.
    const severity = this.#isDenied && isOptional(this.scope) ? "warning" : "error";
    yield { ref: this.#ref(), severity, reason, message };
  }

  get #isRefused(): boolean {
    const last = this.#failure?.last;
    return last?.kind === "status" && last.code === 403;
  }

  get #isDenied(): boolean {
    return (this.scope.name !== undefined || isOptional(this.scope)) && this.#isRefused;
  }

  /** Its definition is not installed (yet). */
  get #isAbsent(): boolean {
    const last = this.#failure?.last;
    return isOptional(this.scope) && last?.kind === "status" && last.code === 404;
  }

  #ref(): ObjectRef {
    const { kind, namespace, name } = this.scope;
    if (!this.#isDenied || name === undefined) {
      return { apiVersion: "evener.io/v1alpha1", kind: "Evener", name: "source" };
    }
    return {
      apiVersion: KINDS[kind].apiVersion,
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
    };
  }

  #noteFailure(last: Failure, { failures }: ReflectorState, waitMs: number): void {
    const { log, clock } = this.#options;
    const before = this.#failure;
    const was = [this.#isDenied, this.#isAbsent];
    const many = failures >= MANY_FAILURES || (before?.many ?? false);
    this.#failure = { last, since: before?.since ?? clock.now(), many, told: before?.told ?? false };
    // A kind that never changes is silent: bookmarks have to be newer than where the watch began, and etcd may report no
    // progress. A connection that is dead shows when the next attempt fails.
    const isQuiet = last.kind === "stalled" && failures === 1;
    // An outage of an hour is told a dozen times, not a thousand.
    const isTold = isQuiet
      ? false
      : this.#isAbsent
        ? before === undefined
        : Number.isInteger(Math.log2(failures));
    if (isTold) this.#failure.told = true;
    const level = !isTold ? "debug" : this.#isAbsent ? "info" : "warn";
    const fields = { scope: formatScope(this.scope), failures, retryMs: waitMs };
    log[level](fields, `the watch failed: ${describeFailure(last)}`);
    const isNew = was[0] !== this.#isDenied || was[1] !== this.#isAbsent;
    if (isNew || (before?.many ?? false) !== many) this.#onChange();
  }

  #noteConnected(): void {
    const before = this.#failure;
    if (before === undefined) return;
    const wasTold = before.many || this.#isDenied || this.#isAbsent;
    this.#failure = undefined;
    this.#options.log[before.told ? "info" : "debug"](
      { scope: formatScope(this.scope) },
      "the watch goes on",
    );
    if (wasTold) this.#onChange();
  }
}
