// SPDX-License-Identifier: Apache-2.0
/**
 * Tells the cluster what became of its objects: statuses and Events, written by whichever replica leads. Nothing here can
 * hold up a sync; what can't be written waits.
 */

import type { V1Ingress } from "@kubernetes/client-node";
import { pause, waitAtMost } from "../clock.ts";
import type { StoredCondition } from "../crd/resource.ts";
import { describeProblemEvents, describeSynced } from "../events/event-wish.ts";
import { EventWriter } from "../events/event-writer.ts";
import { SyncedOnce } from "../events/synced-once.ts";
import { ELECTION_TIMES, type ElectionTimes } from "../leader/election.ts";
import { Elector } from "../leader/elector.ts";
import type { PolicyStatus } from "../model/policy-status.ts";
import { keyOf } from "../model/refs.ts";
import type { IngressStatus, ObjectRef, Problem, Store } from "../model/types.ts";
import { isSameAddresses, type PublishedAddress } from "../status/addresses.ts";
import { ConditionWriter } from "../status/condition-writer.ts";
import { PublishedAddresses } from "../status/published-addresses.ts";
import { readAddresses } from "../status/status-wish.ts";
import { StatusWriter } from "../status/status-writer.ts";
import type { ClusterAccess } from "./cluster-writer.ts";

/** What a sync came to. */
export interface SyncReport {
  readonly store: Store;
  /** One for each of our Ingresses. */
  readonly statuses: readonly IngressStatus[];
  /** One for each of our custom resources. */
  readonly policies: readonly PolicyStatus[];
  readonly problems: readonly Problem[];
  /** Whether the configuration made of `store` is live; what is told is the newest that was. */
  readonly live: boolean;
}

export interface ClusterReporterOptions extends ClusterAccess {
  readonly namespace: string;
  readonly electionId: string;
  readonly identity: string;
  /** The pod's name. */
  readonly instance: string;
  readonly statusAddresses: readonly string[];
  readonly publishService: string | undefined;
  readonly clearAtEnd: boolean;
  /** The namespaces that Events may be written to; empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly onLeading: (leading: boolean) => void;
  readonly times?: ElectionTimes;
}

/** For Events that are due again though nothing changed. */
const TICK_MS = 5 * 60_000;
/** For statuses and Events that are still waiting at the end. */
const FLUSH_MS = 3_000;
/** Clearing statuses of thousands of Ingresses takes a while, and must not take for ever. */
const CLEAR_MS = 20_000;

export class ClusterReporter {
  readonly #options: ClusterReporterOptions;
  readonly #elector: Elector;
  readonly #addresses: PublishedAddresses;
  readonly #statuses: StatusWriter;
  readonly #conditions: ConditionWriter;
  readonly #events: EventWriter;
  readonly #synced = new SyncedOnce();
  #latest: SyncReport | undefined;
  #live: SyncReport | undefined;
  #cancelTick: () => void = () => undefined;
  /** The addresses are being taken out: what the cache says of that is no reason to put them back. */
  #clearing = false;
  #stopped = false;

  constructor(options: ClusterReporterOptions) {
    this.#options = options;
    const { electionId: name, times = ELECTION_TIMES, onLeading } = options;
    this.#elector = new Elector({
      ...options,
      name,
      times,
      onChange: (leading) => {
        onLeading(leading);
        this.#statuses.wake();
        this.#conditions.wake();
        this.#events.wake();
        this.#reconcile();
      },
    });
    const allowed = () => this.#elector.leading;
    this.#addresses = new PublishedAddresses(options);
    this.#statuses = new StatusWriter({ ...options, allowed });
    this.#conditions = new ConditionWriter({ ...options, allowed });
    this.#events = new EventWriter({ ...options, allowed });
  }

  get leading(): boolean {
    return this.#elector.leading;
  }

  /** How long ago the API server last answered; undefined when it never has. */
  get sinceAnswerMs(): number | undefined {
    return this.#elector.sinceAnswerMs;
  }

  start(): void {
    this.#elector.start();
    this.#tick();
  }

  /** Never throws: a mistake in here shall cost a report, not a sync. */
  report(report: SyncReport): void {
    this.#latest = report;
    if (report.live) this.#live = report;
    try {
      this.#reconcile();
    } catch (error) {
      this.#options.log.error({ err: error }, "what became of the objects can't be reported");
    }
  }

  /** Writes what is left, hands over the Lease and, when nobody takes it, clears the statuses. Never rejects. */
  async stop(withinMs: number): Promise<void> {
    const { clock, log } = this.#options;
    const finish = this.#finish().catch((error: unknown) => {
      log.warn({ err: error }, "the Lease and the statuses are left as they are");
    });
    await waitAtMost(clock, withinMs, finish);
    this.#stopped = true;
    // What hangs ends by its own time limit, and nobody waits for it.
    void this.#statuses.stop();
    void this.#conditions.stop();
    void this.#events.stop();
  }

  #tick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#reconcile();
      this.#tick();
    });
  }

  #reconcile(): void {
    const latest = this.#latest;
    if (latest === undefined || this.#stopped) return;
    const ours = new Set(latest.statuses.flatMap(({ ref }) => ref.uid ?? []));
    const addresses = this.#findAddresses();
    this.#tellSynced(addresses);
    if (!this.leading) return;
    const { watchNamespaces } = this.#options;
    this.#events.update(describeProblemEvents(latest.problems, ours, watchNamespaces));
    const live = this.#live;
    if (live !== undefined) {
      this.#conditions.update(live.policies, (ref) => findConditions(latest.store, live.store, ref));
    }
    if (addresses !== undefined && !this.#clearing) this.#statuses.update(this.#listServed(), addresses);
  }

  #findAddresses(): readonly PublishedAddress[] | undefined {
    return this.#latest === undefined ? undefined : this.#addresses.find(this.#latest.store);
  }

  /** Ours in what is live and still ours now, as the cache has them. */
  #listServed(): readonly V1Ingress[] {
    const ours = new Set(this.#latest?.statuses.map(({ ref }) => keyOf(ref)));
    return (this.#live?.statuses ?? []).flatMap(({ ref }) => {
      const key = keyOf(ref);
      return ours.has(key) ? (this.#latest?.store.ingresses.get(key) ?? []) : [];
    });
  }

  /** An Ingress whose status has our addresses was served before; without addresses the leader's word is taken. */
  #tellSynced(addresses: readonly PublishedAddress[] | undefined): void {
    const live = this.#live;
    if (live === undefined) return;
    const known = (status: IngressStatus) => {
      const ingress = live.store.ingresses.get(keyOf(status.ref));
      return addresses !== undefined && addresses.length > 0 && ingress !== undefined
        ? isSameAddresses(readAddresses(ingress), addresses)
        : false;
    };
    // Followers with addresses wait with their judgement until they lead: the leader may die before it has told.
    if (!this.leading && this.#addresses.enabled) return;
    const first = this.#synced.update(live.statuses, live.problems, known);
    if (this.leading) for (const status of first) this.#events.tell(describeSynced(status));
  }

  async #finish(): Promise<void> {
    const { clock, clearAtEnd } = this.#options;
    this.#cancelTick();
    await this.#elector.stop();
    if (this.leading) {
      const flushed = Promise.all([this.#statuses.flush(), this.#conditions.flush(), this.#events.flush()]);
      await waitAtMost(clock, FLUSH_MS, flushed);
    }
    if (!(await this.#elector.release())) return;
    if (!clearAtEnd || !this.#addresses.enabled || (await this.#isTakenOver())) return;
    await this.#clear();
  }

  /**
   * Another replica that lives takes a released Lease at its next attempt. Who can take it back afterwards is alone, and
   * while it is held nobody else writes.
   */
  async #isTakenOver(): Promise<boolean> {
    const { clock, times = ELECTION_TIMES, log, electionId } = this.#options;
    const deadline = clock.now() + 2 * times.retryMs;
    while (clock.now() < deadline && !this.#stopped) {
      await pause(clock, times.retryMs / 8);
      const holder = await this.#elector.readHolder();
      if (holder === "") continue;
      log.info({ lease: electionId, holder }, "handed over");
      return true;
    }
    return this.#stopped || !(await this.#elector.tryOnce());
  }

  async #clear(): Promise<void> {
    const { clock, log } = this.#options;
    const addresses = this.#findAddresses();
    if (addresses !== undefined && addresses.length > 0) {
      const ours = this.#listServed();
      this.#clearing = true;
      this.#statuses.clear(ours, addresses);
      await waitAtMost(clock, CLEAR_MS, this.#statuses.flush());
      const left = this.#statuses.waiting;
      log.info({ ingresses: ours.length, left }, "no other replica: statuses cleared");
    }
    await this.#elector.release();
  }
}

/** Of the object as the cache has it now; undefined when it is not the one any more that what is live was made of. */
function findConditions(now: Store, then: Store, ref: ObjectRef): readonly StoredCondition[] | undefined {
  const [object, before] = [now, then].map((store) => findCustom(store, ref));
  if (object === undefined || before === undefined) return undefined;
  if (object.metadata?.uid !== before.metadata?.uid) return undefined;
  return object.status?.conditions ?? [];
}

function findCustom(store: Store, ref: ObjectRef) {
  const key = keyOf(ref);
  switch (ref.kind) {
    case "BackendPolicy":
      return store.backendPolicies.get(key);
    case "ClientCertificatePolicy":
      return store.clientCertificatePolicies.get(key);
    case "TLSProfile":
      return store.tlsProfiles.get(key);
    default:
      return undefined;
  }
}
