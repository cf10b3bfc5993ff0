// SPDX-License-Identifier: Apache-2.0
/** Load, by wrk or by clients of our own. Everything is bounded in count or time. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";

const run = promisify(execFile);

export const HOST = "a.example";

export interface WrkResult {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly errors: number;
  /** Milliseconds. */
  readonly p99: number;
}

const UNITS: Record<string, number> = {
  us: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

function scale(number: string | undefined, unit: string | undefined): number {
  return Number(number) * (UNITS[unit ?? ""] ?? Number.NaN);
}

export async function wrk(url: string, connections: number, seconds: number): Promise<WrkResult> {
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--latency",
    "--timeout",
    "10s",
    "-H",
    `Host: ${HOST}`,
    url,
  ];
  const { stdout } = await run("wrk", args);
  const took = /(\d+) requests in ([\d.]+)(us|ms|s|m), ([\d.]+)([KMG]?)B read/.exec(stdout);
  const p99 = /99%\s+([\d.]+)(us|ms|s|m)/.exec(stdout);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout);
  if (took === null) throw new Error(`wrk says: ${stdout}`);
  return {
    requests: Number(took[1]),
    seconds: scale(took[2], took[3]) / 1e3,
    bytes: scale(took[4], took[5]),
    errors: [...(socketErrors?.slice(1) ?? []), refused?.[1] ?? 0].reduce<number>(
      (sum, n) => sum + Number(n),
      0,
    ),
    p99: scale(p99?.[1], p99?.[2]),
  };
}

const REQUEST = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

function opened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed before it was open")));
  });
}

async function askOnce(socket: Socket): Promise<void> {
  socket.write(REQUEST);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  if (!bytes.toString("latin1").startsWith("HTTP/1.1 200")) throw new Error(`answer: ${bytes}`);
}

export interface TlsClient {
  readonly socket: TLSSocket;
  /** For the next connection. */
  readonly session: Buffer | undefined;
}

/** A TLS 1.3 connection with one exchange. The ticket comes before the answer, or with it. */
export async function openTls(port: number, session?: Buffer, servername = HOST): Promise<TlsClient> {
  let ticket: Buffer | undefined;
  const socket = connectTls({
    port,
    host: "127.0.0.1",
    servername,
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.3",
    // One group for all: the hybrid ones, which only some of the proxies know, cost more.
    ecdhCurve: "X25519",
    ...(session === undefined ? {} : { session }),
  });
  socket.on("session", (bytes: Buffer) => {
    ticket ??= bytes;
  });
  await opened(socket, "secureConnect");
  if (session !== undefined && !socket.isSessionReused()) throw new Error("the session was not resumed");
  await askOnce(socket);
  socket.on("error", () => {});
  return { socket, session: ticket };
}

export async function openPlain(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await opened(socket, "connect");
  await askOnce(socket);
  socket.on("error", () => {});
  return socket;
}

async function close(socket: Socket): Promise<void> {
  socket.destroy();
  if (!socket.closed) await once(socket, "close");
}

/** `body` for 0 … n-1, at most `width` of them at a time. */
async function inParallel(n: number, width: number, body: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < n; i = next++) await body(i);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

const WIDTH = 16;

/** `n` connections with a request each; resumed: all but the first of each of the parallel clients resume the one before. */
export async function handshakes(port: number, n: number, resumed: boolean): Promise<void> {
  const sessions: (Buffer | undefined)[] = [];
  await inParallel(n, WIDTH, async (i) => {
    const slot = i % WIDTH;
    const { socket, session } = await openTls(port, resumed ? sessions[slot] : undefined);
    sessions[slot] = session;
    await close(socket);
  });
}

export async function plainConnections(port: number, n: number): Promise<void> {
  await inParallel(n, WIDTH, async () => close(await openPlain(port)));
}

/** Holds `n` connections of `open`'s, which have served a request, while `body` runs. */
export async function withIdle(
  open: () => Promise<Socket>,
  n: number,
  body: () => Promise<void>,
): Promise<void> {
  const sockets: Socket[] = [];
  try {
    await inParallel(n, WIDTH, async () => {
      sockets.push(await open());
    });
    await body();
  } finally {
    await Promise.all(sockets.map(close));
  }
}

/** `count` bodies of `size` bytes, one after the other on each of four connections. */
export async function upload(port: number, size: number, count: number): Promise<void> {
  const body = Buffer.alloc(size, "x");
  await inParallel(count, 4, async () => {
    const { socket } = await openTls(port);
    socket.write(`POST /upload HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(body);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    if (!bytes.toString("latin1").startsWith("HTTP/1.1 200")) throw new Error(`answer: ${bytes}`);
    await close(socket);
  });
}
