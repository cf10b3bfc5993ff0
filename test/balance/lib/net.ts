// SPDX-License-Identifier: Apache-2.0
// Pods and clients for Balance's tests. Everything a test opens is closed with it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePorts } from "../../../e2e/lib/ports.ts";
import { until } from "./until.ts";

export interface Pod {
  port: number;
  address: string;
  server: net.Server;
  sockets: Set<net.Socket>;
  accepted: number;
  close(): Promise<void>;
}

/** A pod on a port of its own. Its sockets are half-open: ending one way does not end the other. */
export async function pod(t: TestContext, serve: (socket: net.Socket) => void, port = 0): Promise<Pod> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
    sockets.add(socket);
    me.accepted += 1;
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    serve(socket);
  });
  server.listen({ port, host: "127.0.0.1", backlog: 4096 });
  await once(server, "listening");
  const bound = (server.address() as net.AddressInfo).port;
  const me: Pod = {
    port: bound,
    address: `127.0.0.1:${bound}`,
    server,
    sockets,
    accepted: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
  t.after(() => me.close());
  return me;
}

/** Says its name at once, then echoes. */
export async function named(t: TestContext, name: string, port = 0): Promise<Pod> {
  return pod(
    t,
    (socket) => {
      socket.write(`${name}\n`);
      socket.pipe(socket);
    },
    port,
  );
}

/** A port that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const [port = 0] = await findFreePorts(1);
  return port;
}

/** An address where connecting neither succeeds nor fails: a stopped process with its backlog full. */
export async function blackHole(t: TestContext): Promise<string> {
  const code = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () =>
    console.log(s.address().port));`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  const port = Number(String(line));
  child.kill("SIGSTOP");
  let waiting = 0;
  for (let i = 0; i < 8; i++) {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.on("connect", () => {
      waiting += 1;
    });
    t.after(() => socket.destroy());
  }
  await until("backlog fills", () => waiting >= 2);
  await sleep(100);
  return `127.0.0.1:${port}`;
}

export type Target = number | string;

export function connect(t: TestContext | undefined, target: Target): net.Socket {
  const options = typeof target === "number" ? { port: target, host: "127.0.0.1" } : { path: target };
  const socket = net.connect({ ...options, allowHalfOpen: true });
  socket.on("error", () => {});
  t?.after(() => socket.destroy());
  return socket;
}

/** What a socket says until it ends (or breaks). */
export async function readAll(socket: net.Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    text += chunk;
  });
  socket.resume();
  await new Promise((done) => socket.once("end", done).once("close", done));
  return text;
}

/** Its next line; rejects when the socket ends first. */
export async function readLine(socket: net.Socket): Promise<string> {
  let text = "";
  if (socket.destroyed || socket.readableEnded) throw new Error("ended before");
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\n");
      if (end < 0) return;
      cleanUp();
      const rest = text.slice(end + 1);
      socket.pause();
      if (rest !== "") socket.unshift(Buffer.from(rest, "latin1"));
      resolve(text.slice(0, end));
    };
    const onEnd = (): void => {
      cleanUp();
      reject(new Error(`ended after ${JSON.stringify(text)}`));
    };
    const cleanUp = (): void => {
      socket.off("data", onData).off("end", onEnd).off("close", onEnd);
    };
    socket.on("data", onData).on("end", onEnd).on("close", onEnd).resume();
  });
}

/** Connects, sends, ends, and reads to the end. */
export async function exchange(target: Target, ...parts: (Buffer | string)[]): Promise<string> {
  const socket = connect(undefined, target);
  try {
    for (const part of parts) socket.write(part);
    socket.end();
    return await readAll(socket);
  } finally {
    socket.destroy();
  }
}
