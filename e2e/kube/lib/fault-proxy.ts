// SPDX-License-Identifier: Apache-2.0
/** Stands between a client and the API server, and does what networks and servers do on bad days. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Cluster } from "./cluster.ts";

/** Instead of the API server's answer. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  /** The connection is reset before anything is answered. */
  | "reset"
  /** Nothing is answered, for ever. */
  | "silence"
  /** The answer begins, and the connection breaks in the middle of it. */
  | "half";

/** Instead of one line of a watch; `cut` sends a part of it and ends the response. */
export type Mangled = string | { readonly cut: string };

export interface SeenRequest {
  readonly at: number;
  readonly path: string;
  readonly isWatch: boolean;
  status?: number;
}

export class FaultProxy {
  readonly seen: SeenRequest[] = [];
  /** Asked for every request; undefined passes it on. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  /** Asked for every line of every watch; undefined passes it on. */
  mangle: (line: string, path: string) => Mangled | undefined = () => undefined;
  readonly #cluster: Cluster;
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  readonly #muted = new WeakSet<ServerResponse>();
  readonly #watches = new Set<ServerResponse>();
  #server: Server | undefined;
  #port = 0;

  private constructor(cluster: Cluster, ca: Buffer) {
    this.#cluster = cluster;
    this.#agent = new Agent({ ca, keepAlive: true });
  }

  static async start(t: Pick<TestContext, "after">, cluster: Cluster): Promise<FaultProxy> {
    const proxy = new FaultProxy(cluster, await readFile(cluster.caFile));
    await proxy.open();
    t.after(async () => {
      await proxy.close();
      proxy.#agent.destroy();
    });
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Watches that are open now. */
  get watching(): number {
    return this.#watches.size;
  }

  async open(): Promise<void> {
    const { cert, key } = this.#cluster.serverKey;
    const server = createServer({ cert: await readFile(cert), key: await readFile(key) }, (req, res) =>
      this.#handle(req, res),
    );
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Nobody listens any more: connections are refused. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.reset();
    await closed;
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** From now on the open watches say nothing more, and nobody is told. */
  mute(): void {
    for (const watch of this.#watches) this.#muted.add(watch);
  }

  #handle(req: IncomingMessage, res: ServerResponse): void {
    const path = req.url ?? "";
    const seen: SeenRequest = { at: Date.now(), path, isWatch: /[?&]watch=(?:1|true)\b/.test(path) };
    this.seen.push(seen);
    const fault = this.fault(seen);
    if (fault === "silence") return;
    if (fault === "reset") {
      req.socket.destroy();
      return;
    }
    if (typeof fault === "object") {
      seen.status = fault.status;
      res.writeHead(fault.status, fault.headers);
      res.end(fault.body === undefined ? "" : JSON.stringify(fault.body));
      return;
    }
    this.#forward(req, res, seen, fault === "half");
  }

  #forward(req: IncomingMessage, res: ServerResponse, seen: SeenRequest, half: boolean): void {
    const { host: _host, ...headers } = req.headers;
    const url = new URL(seen.path, this.#cluster.url);
    const upstream = request(url, { method: req.method, headers, agent: this.#agent });
    upstream.on("error", () => res.destroy());
    res.on("close", () => upstream.destroy());
    upstream.on("response", (answer) => {
      seen.status = answer.statusCode ?? 0;
      res.writeHead(seen.status, answer.headers);
      res.flushHeaders();
      answer.on("error", () => res.destroy());
      answer.on("close", () => (answer.complete ? undefined : res.destroy()));
      if (half) answer.once("data", (chunk: Buffer) => this.#breakOff(res, chunk));
      else if (seen.isWatch && seen.status === 200) this.#relayWatch(answer, res, seen.path);
      else answer.pipe(res);
    });
    req.pipe(upstream);
  }

  #breakOff(res: ServerResponse, chunk: Buffer): void {
    res.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => res.destroy());
  }

  #relayWatch(answer: IncomingMessage, res: ServerResponse, path: string): void {
    this.#watches.add(res);
    res.on("close", () => this.#watches.delete(res));
    let rest = "";
    answer.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      if (this.#muted.has(res)) return;
      for (const line of lines) {
        if (res.writableEnded) return;
        const mangled = this.mangle(line, path);
        if (typeof mangled === "object") {
          res.end(mangled.cut);
          return;
        }
        res.write(`${mangled ?? line}\n`);
      }
    });
    answer.on("end", () => (this.#muted.has(res) ? undefined : res.end()));
  }
}
