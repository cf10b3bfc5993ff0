// SPDX-License-Identifier: Apache-2.0
/**
 * A database that speaks a little of PostgreSQL's protocol 3.0, and a client of it. TLS is there from the first byte on (ALPN
 * "postgresql", as `sslnegotiation=direct` does it), not negotiated within the protocol: Hitch knows no SSLRequest.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { connect } from "node:tls";
import { type ProxyHeader, readProxy } from "../../test/balance/lib/proxy-read.ts";

export interface Database {
  readonly port: number;
  /** PROXY headers of the connections so far. */
  readonly headers: readonly ProxyHeader[];
}

/** Collects what comes, and hands out so many bytes at a time. */
class Reader {
  #held = Buffer.alloc(0);
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async take(n: number): Promise<Buffer> {
    while (this.#held.length < n) await this.#more();
    const taken = this.#held.subarray(0, n);
    this.#held = this.#held.subarray(n);
    return taken;
  }

  async takeProxy(): Promise<ProxyHeader> {
    for (;;) {
      const header = this.#held.length === 0 ? undefined : readProxy(this.#held);
      if (header !== undefined) {
        this.#held = this.#held.subarray(header.size);
        return header;
      }
      await this.#more();
    }
  }

  /** A message: its type, and what is in it. */
  async takeMessage(): Promise<{ type: string; body: Buffer }> {
    const type = (await this.take(1)).toString();
    const size = (await this.take(4)).readUInt32BE();
    return { type, body: await this.take(size - 4) };
  }

  async #more(): Promise<void> {
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) {
        this.#held = Buffer.concat([this.#held, chunk]);
        return;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) throw new Error("the connection ended");
      await Promise.race([
        once(this.#socket, "readable"),
        once(this.#socket, "end"),
        once(this.#socket, "close"),
      ]);
    }
  }
}

function message(type: string, body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), size, body]);
}

export async function startDatabase(t: TestContext, name: string): Promise<Database> {
  const headers: ProxyHeader[] = [];
  const serve = async (socket: Socket) => {
    const reader = new Reader(socket);
    const header = await reader.takeProxy();
    headers.push(header);
    const size = (await reader.take(4)).readUInt32BE();
    const startup = await reader.take(size - 4);
    if (startup.readUInt32BE() !== 196_608) throw new Error("not protocol 3.0");
    socket.write(message("R", Buffer.alloc(4)));
    for (;;) {
      socket.write(message("Z", Buffer.from("I")));
      const { type, body } = await reader.takeMessage();
      if (type === "X") break;
      socket.write(message("D", Buffer.from(`${name} ${header.source} ${body.toString()}`)));
    }
    socket.end();
  };
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    serve(socket).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, headers };
}

export interface Answer {
  readonly row: string;
  /** The client's own address as its socket has it. */
  readonly client: string;
  readonly alpn: string | false | null;
}

export async function query(
  port: number,
  servername: string | undefined,
  text: string,
  alpn: readonly string[] = ["postgresql"],
): Promise<Answer> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  });
  try {
    await once(socket, "secureConnect");
    const reader = new Reader(socket);
    const startup = Buffer.from("\0\0\0\0\0\x03\0\0user\0me\0database\0it\0\0");
    startup.writeUInt32BE(startup.length);
    socket.write(startup);
    let row = "";
    for (let ready = 0; ready < 2; ) {
      const { type, body } = await reader.takeMessage();
      if (type === "D") row = body.toString();
      if (type === "Z" && ++ready === 1) socket.write(message("Q", Buffer.from(text)));
    }
    socket.write(message("X", Buffer.alloc(0)));
    return { row, client: `${socket.localAddress}:${socket.localPort}`, alpn: socket.alpnProtocol };
  } finally {
    socket.destroy();
  }
}
