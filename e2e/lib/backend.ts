// SPDX-License-Identifier: Apache-2.0
/** A pod: an HTTP server on loopback that says its name. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface Backend {
  readonly name: string;
  readonly port: number;
  /** TCP connections accepted so far. */
  readonly accepted: () => number;
  /** Requests answered so far. */
  readonly requests: () => number;
  /** TCP connections open now. */
  readonly open: () => Promise<number>;
  /** Ends as a pod does: no new connection, idle ones closed, what is under way finished. */
  retire(): Promise<void>;
  stop(): Promise<void>;
}

export async function startBackend(
  t: TestContext,
  name: string,
  port = 0,
  address = "127.0.0.1",
): Promise<Backend> {
  let accepted = 0;
  let requests = 0;
  const server = createServer((_request, response) => {
    requests++;
    response.end(`${name}\n`);
  });
  server.keepAliveTimeout = 600_000;
  server.on("connection", () => accepted++);
  server.listen(port, address, 4096);
  await once(server, "listening");
  const open = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  const stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const retire = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await closed;
  };
  t.after(stop);
  return {
    name,
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    requests: () => requests,
    open,
    retire,
    stop,
  };
}
