// SPDX-License-Identifier: Apache-2.0
/** An API server that says what the test tells it to, request by request. */
import type { IncomingHttpHeaders } from "node:http";
import type { ApiRequest, ApiResponse, Transport } from "../../../src/kube/transport.ts";
import { settle } from "../../fixtures/fake-clock.ts";

/** One request that waits for its answer, or is being answered. */
export class FakeExchange {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly answered: Promise<ApiResponse>;
  #resolve!: (response: ApiResponse) => void;
  #reject!: (error: unknown) => void;
  #chunks: Uint8Array[] = [];
  #ended = false;
  #error: unknown;
  #wake: () => void = () => undefined;

  constructor({ path, signal }: ApiRequest) {
    this.path = path;
    this.signal = signal;
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener("abort", () => this.fail(new Error("aborted")));
  }

  get query(): URLSearchParams {
    return new URL(this.path, "http://fake").searchParams;
  }

  async begin(status = 200, headers: IncomingHttpHeaders = {}): Promise<this> {
    this.#resolve({ status, headers, body: this.#read() });
    await settle();
    return this;
  }

  async send(...lines: readonly unknown[]): Promise<void> {
    await this.sendText(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }

  async sendText(text: string): Promise<void> {
    this.#chunks.push(Buffer.from(text));
    this.#wake();
    await settle();
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    await settle();
  }

  async answer(json: unknown, status = 200): Promise<void> {
    await this.begin(status);
    await this.sendText(JSON.stringify(json));
    await this.end();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#reject(error);
    this.#wake();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

export class FakeTransport implements Transport {
  readonly exchanges: FakeExchange[] = [];

  async get(request: ApiRequest): Promise<ApiResponse> {
    const exchange = new FakeExchange(request);
    this.exchanges.push(exchange);
    return exchange.answered;
  }

  close(): void {}

  /** The newest request. */
  get last(): FakeExchange {
    const last = this.exchanges.at(-1);
    if (last === undefined) throw new Error("nothing has been asked");
    return last;
  }
}
