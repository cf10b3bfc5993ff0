// SPDX-License-Identifier: Apache-2.0
/** A cluster as a source: one watch for each kind and namespace, joined into one store. */
import { EMPTY_STORE } from "../../model/empty-store.ts";
import type { Store } from "../../model/types.ts";
import type { StoredKind } from "../../store/kinds.ts";
import type { Snapshot, Source } from "../source.ts";
import { Interner } from "./interner.ts";
import { TIMING, type Timing } from "./reflector.ts";
import { ScopeWatch, type ScopeWatchOptions } from "./scope-watch.ts";
import { listNamedScopes, listScopes, type ScopeSettings } from "./scopes.ts";
import { formatScope, type Scope, WATCHED } from "./watched-kinds.ts";

export interface KubeSourceOptions extends Omit<ScopeWatchOptions, "interner" | "timing"> {
  readonly settings: ScopeSettings;
  readonly timing?: Timing;
}

/** `start` rejects with it when `stop` comes first. */
export class SourceStoppedError extends Error {
  readonly code = "EVENER_SOURCE_STOPPED";
}

/** Secrets that an Ingress begins to name are waited for, so that their hosts don't do without for a moment. */
const MAX_HOLD_MS = 5000;
/** Objects that name others, which are watched for that. */
const NAMING: ReadonlySet<StoredKind> = new Set<StoredKind>([
  "Ingress",
  "IngressClass",
  "ClientCertificatePolicy",
  "TLSProfile",
]);
const CLOCK_CHECK_MS = 5000;
const CLOCK_JUMP_MS = 30_000;

export function createKubeSource(options: KubeSourceOptions): KubeSource {
  return new KubeSource(options);
}

export class KubeSource implements Source {
  readonly #options: KubeSourceOptions;
  readonly #watchOptions: ScopeWatchOptions;
  readonly #listeners = new Set<() => void>();
  readonly #watches = new Map<string, ScopeWatch>();
  readonly #named = new Set<string>();
  readonly #dirty = new Set<keyof Store>();
  #snapshot: Snapshot = { store: EMPTY_STORE, problems: [] };
  #problemsDirty = false;
  #synced = false;
  #stopped = false;
  #resolveStart: () => void = () => undefined;
  #rejectStart: (error: Error) => void = () => undefined;
  #cancelHold: (() => void) | undefined;
  #holdOver = false;
  #cancelClockCheck: () => void = () => undefined;

  constructor(options: KubeSourceOptions) {
    this.#options = options;
    this.#watchOptions = { timing: TIMING, ...options, interner: new Interner() };
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** Since when (part of) the cluster has not been heard of; undefined while all watches are connected. */
  get staleSince(): number | undefined {
    const times = [...this.#watches.values()].flatMap((watch) => watch.staleSince ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  snapshot(): Snapshot {
    if (!this.#synced || this.#isHeld) return this.#snapshot;
    if (this.#dirty.size > 0 || this.#problemsDirty) {
      const maps = [...this.#dirty].map((map) => [map, this.#joinMap(map)] as const);
      const problems = [...this.#watches.values()].flatMap((watch) => [...watch.problems()]);
      this.#snapshot = { store: { ...this.#snapshot.store, ...Object.fromEntries(maps) }, problems };
      this.#dirty.clear();
      this.#problemsDirty = false;
    }
    return this.#snapshot;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#resolveStart = resolve;
      this.#rejectStart = reject;
    });
    if (this.#stopped) throw new SourceStoppedError("the source was stopped before it had synced");
    for (const scope of listScopes(this.#options.settings)) this.#open(scope);
    this.#checkClock(this.#options.clock.now());
    await done;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listeners.clear();
    this.#cancelHold?.();
    this.#cancelClockCheck();
    this.#rejectStart(new SourceStoppedError("the source was stopped before it had synced"));
    await Promise.all([...this.#watches.values()].map((watch) => watch.stop()));
    this.#options.transport.close();
  }

  #open(scope: Scope): void {
    const id = formatScope(scope);
    if (this.#watches.has(id)) return;
    const watch = new ScopeWatch(scope, this.#watchOptions, () => this.#noteChange(watch));
    this.#watches.set(id, watch);
    watch.start();
  }

  #close(id: string): void {
    const watch = this.#watches.get(id);
    this.#watches.delete(id);
    if (watch !== undefined) this.#dirty.add(WATCHED[watch.scope.kind].map);
    watch?.stop().catch((error: unknown) => this.#options.log.error({ err: error }, "a watch did not stop"));
  }

  #noteChange(watch: ScopeWatch): void {
    if (this.#stopped) return;
    const { kind } = watch.scope;
    this.#dirty.add(WATCHED[kind].map);
    this.#problemsDirty = true;
    if (NAMING.has(kind)) this.#followNames();
    this.#settle();
  }

  #settle(): void {
    const settled = [...this.#watches.values()].every((watch) => watch.settled);
    if (!this.#synced) {
      if (!settled) return;
      this.#synced = true;
      this.#options.log.info({ watches: this.#watches.size }, "the source has synced");
      this.#resolveStart();
    }
    if (settled) {
      this.#cancelHold?.();
      this.#cancelHold = undefined;
      this.#holdOver = false;
    } else if (this.#cancelHold === undefined) {
      this.#cancelHold = this.#options.clock.after(MAX_HOLD_MS, () => {
        this.#holdOver = true;
        this.#tell();
      });
    }
    this.#tell();
  }

  get #isHeld(): boolean {
    return this.#cancelHold !== undefined && !this.#holdOver;
  }

  #tell(): void {
    if (this.#isHeld) return;
    for (const listener of this.#listeners) listener();
  }

  /** Begins to watch the Secrets and ConfigMaps that have come to be named, and ends with those that no longer are. */
  #followNames(): void {
    const watches = [...this.#watches.values()];
    const naming = watches.filter(({ scope }) => NAMING.has(scope.kind));
    if (!naming.every((watch) => watch.settled)) return;
    const store = {
      ...EMPTY_STORE,
      ingresses: this.#joinMap("ingresses"),
      ingressClasses: this.#joinMap("ingressClasses"),
      clientCertificatePolicies: this.#joinMap("clientCertificatePolicies"),
      tlsProfiles: this.#joinMap("tlsProfiles"),
    };
    const wanted = new Map(
      listNamedScopes(store, this.#options.settings).map((scope) => [formatScope(scope), scope]),
    );
    for (const id of this.#named) {
      if (wanted.has(id)) continue;
      this.#named.delete(id);
      this.#close(id);
    }
    for (const [id, scope] of wanted) {
      if (this.#watches.has(id)) continue;
      this.#named.add(id);
      this.#open(scope);
    }
  }

  #joinMap<K extends keyof Store>(map: K): Store[K] {
    const joined = new Map<string, object>();
    for (const { scope, cache } of this.#watches.values()) {
      if (WATCHED[scope.kind].map !== map) continue;
      for (const [key, object] of cache.objects()) joined.set(key, object);
    }
    return joined as unknown as Store[K];
  }

  /** A machine that slept, or whose clock was set: connections may be dead without either side having noticed. */
  #checkClock(before: number): void {
    const { clock, log } = this.#options;
    this.#cancelClockCheck = clock.after(CLOCK_CHECK_MS, () => {
      const now = clock.now();
      const jumpMs = now - before - CLOCK_CHECK_MS;
      if (Math.abs(jumpMs) > CLOCK_JUMP_MS) {
        log.warn({ jumpMs }, "the clock has jumped; all watches are renewed");
        for (const watch of this.#watches.values()) watch.renew();
      }
      this.#checkClock(now);
    });
  }
}
