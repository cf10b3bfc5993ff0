// SPDX-License-Identifier: Apache-2.0
/** Pods that tell what they were asked: one server for all Services, a port for each. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { KeyPair } from "../../test/fixtures/certificates.ts";

/** What a pod saw of a request; its answer's body. */
export interface Echo {
  readonly pod: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export async function startEchoPod(t: TestContext, pod: string, tls?: KeyPair): Promise<number> {
  const listener = (request: IncomingMessage, response: { end(text: string): void }) => {
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on("end", () => {
      const { url: path = "", headers } = request;
      response.end(JSON.stringify({ pod, path, headers, bytes } satisfies { [K in keyof Echo]: unknown }));
    });
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  // A protocol that gives back what it gets.
  server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
