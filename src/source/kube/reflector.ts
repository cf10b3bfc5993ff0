// SPDX-License-Identifier: Apache-2.0
/** Lists a collection and watches it for ever: reflector-state.ts decides, this does the requests and keeps the time. */
import { type Clock, pause } from "../../clock.ts";
import type { ApiResponse, Transport } from "../../kube/transport.ts";
import { isObject } from "../../store/shape.ts";
import { type Failure, readErrorEvent, readStatusFailure, readThrown } from "./failure.ts";
import { type Action, INITIAL, type ReflectorEvent, type ReflectorState, step } from "./reflector-state.ts";
import { LineSplitter } from "./split-lines.ts";

/** Where the objects go. */
export interface Sink {
  /** A list begins; what it brings replaces everything at its end. */
  beginList(): void;
  listed(object: unknown): void;
  endList(): void;
  changed(object: unknown): void;
  deleted(object: unknown): void;
}

export interface Timing {
  /** No byte for so long: the connection is dead. Bookmarks come about once a minute. */
  readonly stallMs: number;
  /** Asked of the server, with up to as much again at random: even a watch that deceives us ends some day. */
  readonly watchSeconds: number;
}

export const TIMING: Timing = { stallMs: 80_000, watchSeconds: 300 };

export interface ReflectorOptions {
  /** `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL` */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timing: Timing;
  readonly sink: Sink;
  /** The first complete list has been seen. */
  readonly onSynced: () => void;
  /** After each failure, with the time until the next attempt. */
  readonly onFailure: (failure: Failure, state: ReflectorState, waitMs: number) => void;
  /** The list is complete, or the watch has been answered: all is well. */
  readonly onConnected: () => void;
}

/** A list's answer comes at once, and then without long pauses. */
const LIST_STALL_MS = 30_000;

export class Reflector {
  readonly #options: ReflectorOptions;
  #state = INITIAL;
  #stopped = false;
  /** When the server agreed to the present watch. */
  #openedAt: number | undefined;
  #attempt = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  get synced(): boolean {
    return this.#state.synced;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#attempt.abort({ kind: "closed" } satisfies Failure);
    await this.#running;
  }

  /** Time has made a leap, so the connection is not to be trusted; and whoever waits need not wait longer. */
  renew(): void {
    this.#attempt.abort({ kind: "stalled", message: "the clock has jumped" } satisfies Failure);
  }

  async #run(): Promise<void> {
    let action = this.#step({ type: "due" });
    while (!this.#stopped) {
      this.#attempt = new AbortController();
      action = this.#step(await this.#act(action));
    }
  }

  #step(event: ReflectorEvent): Action {
    const { random, onFailure, onSynced } = this.#options;
    const before = this.#state;
    const { state, action } = step(before, event, random());
    this.#state = state;
    if (state.synced && !before.synced) onSynced();
    if (event.type === "ended" && action.type === "wait" && !this.#stopped) {
      onFailure(event.failure, state, action.ms);
    }
    return action;
  }

  async #act(action: Action): Promise<ReflectorEvent> {
    const { clock } = this.#options;
    if (action.type === "wait" || action.type === "go-on") {
      await pause(clock, action.type === "wait" ? action.ms : 0, this.#attempt.signal);
      return { type: "due" };
    }
    this.#openedAt = undefined;
    const attempt = this.#attempt;
    const stall = this.#guard(attempt, action.type === "list" ? LIST_STALL_MS : this.#options.timing.stallMs);
    try {
      const event =
        action.type === "list" ? await this.#list(action, stall) : await this.#watch(action, stall);
      if (event.type !== "ended") return event;
      return { ...event, lastedMs: this.#lastedMs };
    } catch (error) {
      // Whoever gave up on the attempt has said why.
      const failure = attempt.signal.aborted ? (attempt.signal.reason as Failure) : readThrown(error);
      attempt.abort(failure);
      return { type: "ended", failure, lastedMs: this.#lastedMs };
    } finally {
      stall.end();
    }
  }

  get #lastedMs(): number {
    return this.#openedAt === undefined ? 0 : this.#options.clock.now() - this.#openedAt;
  }

  /** Aborts the attempt when nothing has been heard for `ms`. */
  #guard(attempt: AbortController, ms: number): StallGuard {
    const { clock } = this.#options;
    const message = `nothing was heard for ${ms / 1000} seconds`;
    const arm = () => clock.after(ms, () => attempt.abort({ kind: "stalled", message } satisfies Failure));
    let cancel = arm();
    const heard = () => {
      cancel();
      cancel = arm();
    };
    return { heard, end: () => cancel() };
  }

  async #list(action: Action & { type: "list" }, stall: StallGuard): Promise<ReflectorEvent> {
    const { sink, onConnected } = this.#options;
    if (action.token === undefined) sink.beginList();
    const response = await this.#get({ limit: action.limit, continue: action.token });
    const text = await readText(response, stall);
    if (response.status !== 200) return end(readStatusFailure(response.status, response.headers, text));
    const list = parse(text);
    const metadata = isObject(list) && isObject(list.metadata) ? list.metadata : {};
    const version = metadata.resourceVersion;
    if (!isObject(list) || typeof version !== "string" || !isListOrAbsent(list.items)) {
      return end({ kind: "garbled", message: "the answer to a list is no list" });
    }
    for (const item of list.items ?? []) sink.listed(item);
    const token = metadata.continue;
    if (typeof token === "string" && token !== "") return { type: "page", version, token };
    sink.endList();
    onConnected();
    return { type: "page", version };
  }

  async #watch({ version }: Action & { type: "watch" }, stall: StallGuard): Promise<ReflectorEvent> {
    const { clock, timing, random, onConnected } = this.#options;
    const seconds = Math.round(timing.watchSeconds * (1 + random()));
    const query = { watch: 1, resourceVersion: version, allowWatchBookmarks: true, timeoutSeconds: seconds };
    const response = await this.#get(query);
    if (response.status !== 200) {
      return end(readStatusFailure(response.status, response.headers, await readText(response, stall)));
    }
    this.#openedAt = clock.now();
    stall.heard();
    onConnected();
    const lines = new LineSplitter();
    for await (const chunk of response.body) {
      stall.heard();
      for (const line of lines.push(chunk)) {
        const failure = this.#takeLine(line);
        if (failure !== undefined) return end(failure);
      }
      if (this.#stopped) break;
    }
    return end({ kind: "closed" });
  }

  /** Until a line has been understood the resource version stays, so that the server sends it again. */
  #takeLine(line: string): Failure | undefined {
    const event = parse(line);
    if (!isObject(event)) return { kind: "garbled", message: "a line of the watch is no JSON object" };
    const { type, object } = event;
    if (type === "ERROR") return readErrorEvent(object);
    const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {};
    const version = metadata.resourceVersion;
    if (typeof version !== "string" || version === "") {
      return { kind: "garbled", message: "an event of the watch has no resource version" };
    }
    const { sink } = this.#options;
    switch (type) {
      case "ADDED":
      case "MODIFIED":
        sink.changed(object);
        break;
      case "DELETED":
        sink.deleted(object);
        break;
      case "BOOKMARK":
        // After etcd was restored from a backup the past comes back, and this watch is of another world.
        if (isOlder(version, this.#state.version)) {
          return { kind: "status", code: 410, message: "the resource version went back" };
        }
        break;
      default:
        return { kind: "garbled", message: "an event of the watch is of no known type" };
    }
    this.#step({ type: "progress", version });
    return undefined;
  }

  #get(query: Readonly<Record<string, string | number | boolean | undefined>>): Promise<ApiResponse> {
    const { path, fieldSelector, transport } = this.#options;
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, fieldSelector })) {
      if (value !== undefined) params.set(name, String(value));
    }
    return transport.get({ path: `${path}?${params}`, signal: this.#attempt.signal });
  }
}

interface StallGuard {
  readonly heard: () => void;
  readonly end: () => void;
}

function end(failure: Failure): ReflectorEvent {
  return { type: "ended", failure, lastedMs: 0 };
}

async function readText(response: ApiResponse, stall: StallGuard): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) {
    stall.heard();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isListOrAbsent(items: unknown): items is readonly unknown[] | undefined | null {
  return items === undefined || items === null || Array.isArray(items);
}

function isOlder(version: string, than: string | undefined): boolean {
  if (than === undefined || !/^\d{1,20}$/.test(version) || !/^\d{1,20}$/.test(than)) return false;
  return BigInt(version) < BigInt(than);
}
