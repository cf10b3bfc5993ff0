// SPDX-License-Identifier: Apache-2.0
/**
 * Clients behind a Service: a new connection goes to one of the replicas that are ready, an open one stays where it is. What
 * kubelet, EndpointSlices and kube-proxy do in a cluster is a look at /readyz now and then.
 */
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Evener } from "./evener.ts";

export interface Failure {
  readonly replica: number;
  readonly what: string;
  readonly request: number;
  readonly error: string;
}

export interface Load {
  readonly host: string;
  /** What every second client asks for without TLS; absent: all use TLS. */
  readonly plainHost?: string;
  /** Clients that ask several times on a connection, and clients that ask once. */
  readonly lasting: number;
  readonly single: number;
  /** Most requests on one connection. */
  readonly requests: number;
}

const LOOK_MS = 100;
/** Who does not say that it is ready within this time counts as not ready. */
const ANSWER_MS = 500;
/** Between two requests on a connection: it is idle for most of its life, as a browser's is. */
const THINK_MS = 20;

export class ServiceClient {
  readonly failures: Failure[] = [];
  /** Answers, by the replica's health port. */
  readonly answered = new Map<number, number>();
  #ready: Evener[] = [];
  #next = 0;
  #running = true;
  readonly #workers: Promise<void>[] = [];

  add(replica: Evener): void {
    this.#workers.push(this.#look(replica));
  }

  get ready(): readonly Evener[] {
    return this.#ready;
  }

  get total(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, 0);
  }

  start(load: Load): void {
    const workers: Promise<void>[] = [];
    const isTls = (i: number) => load.plainHost === undefined || i % 2 === 0;
    for (let i = 0; i < load.lasting; i++) workers.push(this.#keepAsking(load, load.requests, isTls(i)));
    for (let i = 0; i < load.single; i++) workers.push(this.#keepAsking(load, 1, isTls(i)));
    this.#workers.push(...workers);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
  }

  /** Each replica for itself: one that is slow to answer keeps nobody from seeing another go. */
  async #look(replica: Evener): Promise<void> {
    while (this.#running) {
      const ready = await Promise.race([replica.isReady(), sleep(ANSWER_MS, false)]);
      if (!ready) this.#ready = this.#ready.filter((one) => one !== replica);
      else if (!this.#ready.includes(replica)) this.#ready = [...this.#ready, replica];
      await sleep(LOOK_MS);
    }
  }

  async #keepAsking(load: Load, requests: number, tls: boolean): Promise<void> {
    while (this.#running) {
      const replica = this.#ready[this.#next++ % Math.max(1, this.#ready.length)];
      if (replica === undefined) await sleep(LOOK_MS);
      else await this.#useConnection(replica, tls ? load.host : (load.plainHost ?? load.host), requests, tls);
      // One client of a machine shall not be all of its work.
      await sleep(THINK_MS);
    }
  }

  async #useConnection(replica: Evener, host: string, requests: number, tls: boolean): Promise<void> {
    const settings = { keepAlive: true, maxSockets: 1 };
    const agent = tls ? new https.Agent(settings) : new http.Agent(settings);
    try {
      for (let i = 1; i <= requests; i++) {
        try {
          const last = await ask(replica, host, tls, agent);
          this.answered.set(replica.healthPort, (this.answered.get(replica.healthPort) ?? 0) + 1);
          if (last) return;
        } catch (error) {
          const what = tls ? "https" : "http";
          this.failures.push({ replica: replica.healthPort, what, request: i, error: String(error) });
          return;
        }
        await sleep(THINK_MS);
      }
    } finally {
      agent.destroy();
    }
  }
}

/** True when the server has said that there is no further request on this connection. */
async function ask(replica: Evener, host: string, tls: boolean, agent: http.Agent): Promise<boolean> {
  const common = { host: "127.0.0.1", agent, headers: { host }, timeout: 20_000 };
  const call = tls
    ? https.get({ ...common, port: replica.httpsPort, servername: host, rejectUnauthorized: false })
    : http.get({ ...common, port: replica.httpPort });
  call.on("timeout", () => call.destroy(new Error("no answer")));
  const [response] = (await once(call, "response")) as [http.IncomingMessage];
  response.resume();
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return response.headers.connection === "close";
}
