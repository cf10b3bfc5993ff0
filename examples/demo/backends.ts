// SPDX-License-Identifier: Apache-2.0
/** The pods of the demo: small HTTP servers on loopback that tell who they are. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";

export interface Backend {
  readonly name: string;
  readonly port: number;
  stop(): void;
}

export async function startBackend(name: string, wantedPort: number): Promise<Backend> {
  const port = await findPort(wantedPort);
  const server: Server = createServer((request, response) => {
    response.end(`${name} answers ${request.headers.host ?? "nobody"}${request.url ?? ""}\n`);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    name,
    port,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The wanted port, or a free one when it is taken (or 0). */
export async function findPort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createTcpServer().listen(port);
    try {
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    } catch {
      // Taken.
    } finally {
      server.close();
      if (server.listening) await once(server, "close");
    }
  }
  throw new Error("there is no free port");
}
