// SPDX-License-Identifier: Apache-2.0
/** Keeps trying to hold one Lease, and tells when that begins and ends. */
import { describeAnswer, formatMicroTime, isSuccess } from "../report/api.ts";
import type { ClusterAccess } from "../report/cluster-writer.ts";
import {
  type ElectionState,
  type ElectionTimes,
  INITIAL_STATE,
  isLeading,
  judge,
  type LeaseSpec,
  makeRecord,
  makeReleased,
  notWon,
  observe,
  won,
} from "./election.ts";

export interface ElectorOptions extends ClusterAccess {
  readonly namespace: string;
  readonly name: string;
  /** Different for every process that ever takes part. */
  readonly identity: string;
  readonly times: ElectionTimes;
  readonly onChange: (leading: boolean) => void;
}

interface Lease {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: LeaseSpec;
}

/** A request that hangs must leave time for another one before the lease is lost. */
const REQUEST_TIMEOUT_MS = 4_000;
/** client-go's jitter factor: attempts of replicas that were started together drift apart. */
const JITTER = 0.2;

export class Elector {
  readonly #options: ElectorOptions;
  #state: ElectionState = INITIAL_STATE;
  #told = false;
  #stopped = true;
  #attempt: Promise<void> = Promise.resolve();
  #cancelNext: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;
  #complaint = "";
  #answeredAt: number | undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
  }

  get leading(): boolean {
    const { clock, times } = this.#options;
    return isLeading(this.#state, times, clock.now());
  }

  /** How long ago the API server last answered; undefined when it never has. */
  get sinceAnswerMs(): number | undefined {
    return this.#answeredAt === undefined ? undefined : this.#options.clock.now() - this.#answeredAt;
  }

  start(): void {
    this.#stopped = false;
    this.#next(0);
  }

  /** Takes part no longer. What is held stays held until `release`, or until it expires. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelNext();
    this.#cancelExpiry();
    await this.#attempt;
  }

  /** Gives the Lease away; false when we do not hold it (any more). */
  async release(): Promise<boolean> {
    if (!this.leading) return false;
    const lease = await this.#read();
    const spec = lease?.spec;
    if (lease === undefined || spec?.holderIdentity !== this.#options.identity) return false;
    const released = await this.#write(lease, makeReleased(spec, this.#time()));
    this.#become(INITIAL_STATE);
    return released !== undefined;
  }

  /** One try, outside of the regular ones: true when the Lease is ours now. */
  async tryOnce(): Promise<boolean> {
    const { clock, identity, times } = this.#options;
    const startedAt = clock.now();
    const lease = await this.#read();
    this.#state = observe(this.#state, lease?.spec, clock.now());
    if (!judge(this.#state, identity, times, clock.now()).mayWrite) return false;
    const wanted = makeRecord(lease?.spec, identity, times, this.#time());
    const written = await this.#write(lease, wanted);
    if (written === undefined) return false;
    this.#state = won(this.#state, written, startedAt);
    return true;
  }

  /** Whoever holds the Lease, as the API server has it now; empty for nobody. */
  async readHolder(): Promise<string> {
    return (await this.#read())?.spec?.holderIdentity ?? "";
  }

  #next(ms: number): void {
    if (this.#stopped) return;
    this.#cancelNext = this.#options.clock.after(ms, () => {
      this.#attempt = this.#tryAndPlan();
    });
  }

  async #tryAndPlan(): Promise<void> {
    const { clock, identity, times, random, log, name } = this.#options;
    try {
      const done = await this.tryOnce();
      if (!done) this.#state = notWon(this.#state, identity, times, clock.now());
      this.#complaint = "";
    } catch (error) {
      this.#state = notWon(this.#state, identity, times, clock.now());
      const complaint = error instanceof Error ? error.message : String(error);
      // Every two seconds for an hour would be too much.
      if (complaint !== this.#complaint) log.warn({ lease: name, err: error }, "the Lease can't be written");
      this.#complaint = complaint;
    }
    this.#tell();
    const verdict = judge(this.#state, identity, times, clock.now());
    const jitter = 1 + JITTER * random();
    if (verdict.mayWrite) return this.#next(times.retryMs * jitter);
    // Whoever waits looks twice as often: a lease is only known to be old from when it was first seen. And once more right
    // when that of a dead leader ends.
    this.#next(Math.min((times.retryMs / 2) * jitter, verdict.expiresAt - clock.now() + 1));
  }

  #become(state: ElectionState): void {
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    const { clock, times, onChange, log, name, identity } = this.#options;
    this.#cancelExpiry();
    const { leading } = this;
    if (leading && !this.#stopped) {
      // While an answer is waited for, or this process was stopped, time goes on.
      const left = (this.#state.renewedAt ?? 0) + times.renewMs - clock.now();
      this.#cancelExpiry = clock.after(Math.max(0, left), () => {
        this.#become(notWon(this.#state, identity, times, clock.now()));
      });
    }
    if (leading === this.#told) return;
    this.#told = leading;
    log.info({ lease: name, identity }, leading ? "leading" : "no longer leading");
    onChange(leading);
  }

  #time(): string {
    return formatMicroTime(this.#options.wallTime());
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#options.namespace}/leases`;
  }

  async #read(): Promise<Lease | undefined> {
    const { api, name } = this.#options;
    const path = `${this.#path}/${name}`;
    const answer = await api.request({ method: "GET", path, timeoutMs: REQUEST_TIMEOUT_MS });
    if (answer.status < 500) this.#answeredAt = this.#options.clock.now();
    if (answer.status === 404) return undefined;
    if (!isSuccess(answer)) throw new Error(`the Lease can't be read: ${describeAnswer(answer)}`);
    return answer.body as Lease;
  }

  /** Undefined when somebody else was faster. */
  async #write(before: Lease | undefined, spec: LeaseSpec): Promise<LeaseSpec | undefined> {
    const { api, namespace, name } = this.#options;
    const head = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
    const answer = await api.request({
      method: before === undefined ? "POST" : "PUT",
      path: before === undefined ? this.#path : `${this.#path}/${name}`,
      body: { ...head, metadata: before?.metadata ?? { namespace, name }, spec },
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
    if (answer.status === 409) return undefined;
    if (!isSuccess(answer)) throw new Error(`the Lease can't be written: ${describeAnswer(answer)}`);
    return (answer.body as Lease).spec ?? spec;
  }
}
