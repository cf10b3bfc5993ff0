// SPDX-License-Identifier: Apache-2.0
/** A client and a pod in lock-step: one exchange at a time, each message in one write, so that counts come out the same in every run. */
import { once } from "node:events";
import { connect as connectPlain, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const REQUEST = "GET /index.html HTTP/1.1\r\nHost: a.example\r\nUser-Agent: guard\r\nAccept: */*\r\n\r\n";
const RESPONSE =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nServer: pod\r\n\r\nhello, world\n";

export interface Pod {
  readonly port: number;
  close(): void;
}

/** Answers each request, which it takes to come in one piece. */
export async function startPod(): Promise<Pod> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", () => socket.write(RESPONSE));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the pod has no port");
  return {
    port: address.port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export interface Target {
  readonly port: number;
  readonly tls: boolean;
}

async function open({ port, tls }: Target): Promise<Socket> {
  const socket = tls
    ? connectTls({ port, host: "127.0.0.1", servername: "a.example", rejectUnauthorized: false })
    : connectPlain({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, tls ? "secureConnect" : "connect");
  return socket;
}

async function exchange(socket: Socket): Promise<void> {
  let answer = "";
  socket.write(REQUEST);
  while (!answer.endsWith("world\n")) {
    const [bytes] = (await once(socket, "data")) as [Buffer];
    answer += bytes.toString("latin1");
  }
  if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`the answer is ${answer.split("\r\n")[0]}`);
}

/** `n` requests on one connection. */
export async function request(target: Target, n: number): Promise<void> {
  const socket = await open(target);
  for (let i = 0; i < n; i++) await exchange(socket);
  socket.resume().end();
  await once(socket, "close");
}

/** `n` connections, one after the other, with a request each. */
export async function reconnect(target: Target, n: number): Promise<void> {
  for (let i = 0; i < n; i++) await request(target, 1);
}
