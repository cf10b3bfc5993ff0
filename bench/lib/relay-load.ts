// SPDX-License-Identifier: Apache-2.0
/** One process of the relay benchmark, told over IPC what to do: a backend, or a client that holds many connections. */
import { once } from "node:events";
import net from "node:net";

/** What the driver says to a client, and what it says when that is done. */
export type Command =
  | { readonly do: "open"; readonly port: number; readonly from: string; readonly count: number }
  | { readonly do: "ping" }
  | { readonly do: "bulk"; readonly connections: number; readonly bytes: number }
  | { readonly do: "close" };

/** How many connections are on their way at a time: more would only fill backlogs. */
const OPENING = 200;
const BLOCK = Buffer.alloc(1 << 18, "x");

/** Echoes; a line `SEND n` is answered with n bytes instead. */
function serve(socket: net.Socket): void {
  socket.on("error", () => socket.destroy());
  socket.on("data", async (chunk: Buffer) => {
    const bytes = Number(/^SEND (\d+)\n$/.exec(chunk.toString("latin1"))?.[1] ?? 0);
    if (bytes === 0) socket.write(chunk);
    for (let left = bytes; left > 0; left -= BLOCK.length)
      if (!socket.write(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK)) await once(socket, "drain");
  });
}

async function startBackend(): Promise<void> {
  const server = net
    .createServer({ noDelay: true }, serve)
    .listen({ port: 0, host: "127.0.0.1", backlog: 65535 });
  await once(server, "listening");
  process.send?.((server.address() as net.AddressInfo).port);
}

const sockets: net.Socket[] = [];

async function openAll(command: Command & { do: "open" }): Promise<void> {
  const one = async (): Promise<void> => {
    const socket = net.connect({
      port: command.port,
      host: "127.0.0.1",
      localAddress: command.from,
      noDelay: true,
    });
    await once(socket, "connect");
    sockets.push(socket);
  };
  for (let left = command.count; left > 0; left -= OPENING)
    await Promise.all(Array.from({ length: Math.min(left, OPENING) }, one));
}

/** Reads n bytes from a socket and forgets them; rejects when it ends before. */
async function swallow(socket: net.Socket, n: number): Promise<void> {
  let left = n;
  await new Promise<void>((resolve, reject) => {
    const onEnd = () => reject(new Error(`a relayed connection ended, ${left} bytes short`));
    const onData = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off("data", onData).off("close", onEnd);
      resolve();
    };
    socket.on("data", onData).on("close", onEnd);
  });
}

/** A byte there and back over each connection: all of them are relayed. */
async function ping(): Promise<void> {
  for (let i = 0; i < sockets.length; i += OPENING)
    await Promise.all(
      sockets.slice(i, i + OPENING).map((socket) => {
        socket.write("!");
        return swallow(socket, 1);
      }),
    );
}

/** Over connections that were made at different times, so that they are with different processes of the relay. */
async function bulk(connections: number, bytes: number): Promise<void> {
  const step = Math.floor(sockets.length / connections);
  await Promise.all(
    Array.from({ length: connections }, (_, i) => {
      const socket = sockets[i * step] as net.Socket;
      socket.write(`SEND ${bytes}\n`);
      return swallow(socket, bytes);
    }),
  );
}

async function obey(command: Command): Promise<void> {
  if (command.do === "open") await openAll(command);
  else if (command.do === "ping") await ping();
  else if (command.do === "bulk") await bulk(command.connections, command.bytes);
  else for (const socket of sockets.splice(0)) socket.destroy();
}

if (process.argv[2] === "backend") {
  await startBackend();
} else if (process.argv[2] === "client") {
  process.on("message", async (command: Command) => {
    try {
      await obey(command);
      process.send?.("done");
    } catch (error) {
      process.send?.(`failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  process.send?.("ready");
}
process.on("disconnect", () => process.exit(0));
