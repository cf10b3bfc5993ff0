// SPDX-License-Identifier: Apache-2.0
// A client that sends exactly the bytes it is told to and reads answers one by one.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { bodyLength, type Head, headEnd, parseHead } from "./message.ts";

export interface Answer extends Head {
  body: Buffer;
  /** Everything, head and framing included. */
  raw: Buffer;
}

export class RawClient {
  readonly socket: Socket;
  /** Received and not yet taken. */
  pending: Buffer = Buffer.alloc(0);
  closed = false;
  reset = false;
  total = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.total += chunk.length;
      this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
      this.#wake?.();
    });
    socket.on("error", () => {
      this.reset = true;
    });
    const ended = () => {
      this.closed = true;
      this.#wake?.();
    };
    socket.on("end", ended);
    socket.on("close", ended);
  }

  static async open(port: number, host = "127.0.0.1"): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true });
    socket.setNoDelay(true);
    await once(socket, "connect");
    return new RawClient(socket);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Waits until `check` gives something; `undefined` at the connection's end or after the time. */
  async #until<T>(check: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const value = check();
      if (value !== undefined || this.closed || Date.now() >= deadline) return value;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  /** The next answer, interim ones included; undefined when none comes whole. */
  async tryAnswer(method = "GET", timeoutMs = 15_000): Promise<Answer | undefined> {
    const end = await this.#until(() => headEnd(this.pending), timeoutMs);
    if (end === undefined) return undefined;
    const head = parseHead(this.pending.subarray(0, end));
    const length = () => bodyLength(head, this.pending.subarray(end), method, this.closed);
    await this.#until(length, timeoutMs);
    const size = length();
    if (size === undefined) return undefined;
    const raw = this.pending.subarray(0, end + size);
    this.pending = this.pending.subarray(end + size);
    return { ...head, body: raw.subarray(end), raw };
  }

  async answer(method = "GET", timeoutMs = 15_000): Promise<Answer> {
    const answer = await this.tryAnswer(method, timeoutMs);
    if (answer === undefined) {
      const got = this.pending.subarray(0, 300).toString("latin1");
      throw new Error(`no answer; ${this.closed ? "closed" : "open"}; received ${JSON.stringify(got)}`);
    }
    return answer;
  }

  async request(bytes: string | Buffer, method = "GET"): Promise<Answer> {
    this.send(bytes);
    return this.answer(method);
  }

  /** Bytes up to a mark, of a stream that is not HTTP. */
  async text(mark: string, timeoutMs = 15_000): Promise<string> {
    const at = await this.#until(() => {
      const i = this.pending.indexOf(mark, 0, "latin1");
      return i < 0 ? undefined : i + mark.length;
    }, timeoutMs);
    if (at === undefined) throw new Error(`never came: ${JSON.stringify(mark)}`);
    const text = this.pending.subarray(0, at).toString("latin1");
    this.pending = this.pending.subarray(at);
    return text;
  }

  /** Whether the other side has ended the connection, in time. */
  async ends(timeoutMs = 15_000): Promise<boolean> {
    await this.#until(() => undefined, timeoutMs);
    return this.closed;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** One request on a connection of its own. */
export async function fetchRaw(port: number, bytes: string | Buffer, method = "GET"): Promise<Answer> {
  const client = await RawClient.open(port);
  try {
    return await client.request(bytes, method);
  } finally {
    client.close();
  }
}

/** A plain request; extra lines end in CRLF. */
export function get(path: string, host = "a.example", extra = "", method = "GET"): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}\r\n`;
}
