// SPDX-License-Identifier: Apache-2.0
// Pods for tests: raw ones that do as they are told with every byte, and one that answers whole requests.
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type Head, headEnd, parseHead, requestLength } from "./message.ts";

export interface Backend {
  readonly port: number;
  /** As a channel of a pool. */
  readonly channel: string;
  readonly sockets: Set<Socket>;
  accepted: number;
  /** Every byte that came, of all connections in the order of arrival. */
  received(): Buffer;
  forget(): void;
  close(): Promise<void>;
}

export interface Recorded extends Head {
  body: Buffer;
  raw: Buffer;
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Calls `onConnection` for each connection, and records. */
export async function startRaw(
  t: TestContext | undefined,
  onConnection: (socket: Socket, nth: number) => void,
  options: { port?: number; record?: boolean } = {},
): Promise<Backend> {
  let chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    backend.accepted++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    if (options.record ?? true) socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    onConnection(socket, backend.accepted);
  });
  const port = await listen(server, options.port ?? 0);
  const backend: Backend = {
    port,
    channel: `127.0.0.1:${port}`,
    sockets,
    accepted: 0,
    received: () => Buffer.concat(chunks),
    forget: () => {
      chunks = [];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  t?.after(() => backend.close());
  return backend;
}

export type Respond = (request: Recorded, socket: Socket) => string | Buffer | undefined;

export interface RequestBackend extends Backend {
  requests: Recorded[];
}

/** Answers whole requests one by one; `undefined` leaves the answer to the function. */
export async function startBackend(
  t: TestContext | undefined,
  respond: Respond = () => text("ok"),
  options: { port?: number } = {},
): Promise<RequestBackend> {
  const requests: Recorded[] = [];
  const backend = await startRaw(
    t,
    (socket) => {
      let pending: Buffer = Buffer.alloc(0);
      socket.on("end", () => socket.end());
      socket.on("data", (chunk: Buffer) => {
        pending = Buffer.concat([pending, chunk]);
        for (;;) {
          const end = headEnd(pending);
          if (end === undefined) return;
          const head = parseHead(pending.subarray(0, end));
          const size = requestLength(head, pending.subarray(end));
          if (size === undefined) return;
          const raw = pending.subarray(0, end + size);
          pending = pending.subarray(end + size);
          const request = { ...head, body: raw.subarray(end), raw };
          requests.push(request);
          const answer = respond(request, socket);
          if (answer !== undefined)
            socket.write(typeof answer === "string" ? Buffer.from(answer, "latin1") : answer);
        }
      });
    },
    options,
  );
  return Object.assign(backend, { requests });
}

/** A 200 with this text. */
export function text(body: string, extra = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, "latin1")}\r\n${extra}\r\n${body}`;
}
