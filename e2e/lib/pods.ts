// SPDX-License-Identifier: Apache-2.0
/** Pods that do as they are told: keep requests waiting, fail their health check, show what they were sent. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface SlowPod {
  readonly name: string;
  readonly port: number;
  /** Requests that wait for `release`. */
  readonly held: () => number;
  /** Answers all that wait. */
  release(): void;
  /** What `/healthz` is answered with. */
  status: number;
  /** Requests for `/healthz`, with their Host. */
  readonly checks: readonly string[];
  stop(): Promise<void>;
}

/** Answers at once, but for `/hold`, whose answers wait. */
export async function startSlowPod(t: TestContext, name: string): Promise<SlowPod> {
  const waiting = new Set<ServerResponse>();
  const checks: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/healthz") {
      checks.push(request.headers.host ?? "");
      response.statusCode = pod.status;
    }
    if (request.url !== "/hold") {
      response.end(`${name}\n`);
      return;
    }
    waiting.add(response);
    response.on("close", () => waiting.delete(response));
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const release = () => {
    for (const response of waiting) response.end(`${name}\n`);
  };
  const pod = {
    name,
    port: (server.address() as AddressInfo).port,
    held: () => waiting.size,
    release,
    status: 200,
    checks,
    stop: async () => {
      release();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  t.after(pod.stop);
  return pod;
}

export interface RawPod {
  readonly port: number;
  /** What each connection sent, in the order they came. */
  readonly received: readonly Buffer[];
}

/** Reads what comes, and answers each connection once with `answer`. */
export async function startRawPod(t: TestContext, answer: string): Promise<RawPod> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    const place = received.push(Buffer.alloc(0)) - 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      received[place] = Buffer.concat([received[place] ?? Buffer.alloc(0), chunk]);
      if (received[place].includes("\r\n\r\n") && !socket.writableEnded) socket.end(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, received };
}
