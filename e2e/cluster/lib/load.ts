// SPDX-License-Identifier: Apache-2.0
/** Clients outside of the cluster who go on asking, some on connections that last, some on a new one each time. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly ca: string;
  /** Which of the client's addresses to come from. */
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The server has said that there is no further request on this connection. */
  readonly last: boolean;
}

/** Between two requests on a connection: it is idle for most of its life, as a browser's is. */
const THINK_MS = 20;
const TIMEOUT_MS = 20_000;
const LASTING = 8;
const SINGLE = 4;
const REQUESTS = 100;

export async function ask(target: Target, agent?: https.Agent, path = "/"): Promise<Answer> {
  const { address, port, host, ca, from } = target;
  const call = https.get({
    ...{ host: address, port, path, servername: host, ca, headers: { host }, timeout: TIMEOUT_MS },
    agent: agent ?? false,
    ...(from === undefined ? {} : { localAddress: from }),
  });
  call.on("timeout", () => call.destroy(new Error("no answer")));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: response.statusCode ?? 0, text, last: response.headers.connection === "close" };
}

export class Load {
  readonly failures: string[] = [];
  /** Answers by pod. */
  readonly answered = new Map<string, number>();
  /** Longest time that an answer took. */
  slowestMs = 0;
  readonly #targets: readonly Target[];
  #running = true;
  readonly #work: Promise<unknown>;

  constructor(...targets: readonly Target[]) {
    this.#targets = targets;
    const lasting = Array.from({ length: LASTING }, (_, i) => this.#keepAsking(i, REQUESTS));
    const single = Array.from({ length: SINGLE }, (_, i) => this.#keepAsking(i, 1));
    this.#work = Promise.all([...lasting, ...single]);
  }

  get total(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, 0);
  }

  /** `1234 requests, 0 failed, slowest 56 ms` */
  get figures(): string {
    return `${this.total} requests, ${this.failures.length} failed, slowest ${this.slowestMs} ms`;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#work;
  }

  async #keepAsking(i: number, requests: number): Promise<void> {
    const target = this.#targets[i % this.#targets.length];
    if (target === undefined) throw new Error("no target");
    while (this.#running) {
      await this.#useConnection(target, requests);
      await sleep(THINK_MS);
    }
  }

  async #useConnection(target: Target, requests: number): Promise<void> {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let i = 1; i <= requests && this.#running; i++) {
        const start = Date.now();
        try {
          const { status, text, last } = await ask(target, agent);
          if (status !== 200) throw new Error(`status ${status}`);
          const pod = /^pod: (.*)$/m.exec(text)?.[1] ?? "?";
          this.answered.set(pod, (this.answered.get(pod) ?? 0) + 1);
          this.slowestMs = Math.max(this.slowestMs, Date.now() - start);
          if (last) return;
        } catch (error) {
          const at = new Date().toISOString();
          this.failures.push(
            `${at} ${target.address}:${target.port}, request ${i} on its connection: ${error}`,
          );
          return;
        }
        await sleep(THINK_MS);
      }
    } finally {
      agent.destroy();
    }
  }
}
