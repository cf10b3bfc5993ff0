// SPDX-License-Identifier: Apache-2.0
// Pods behind Hitch and Balance: one that speaks HTTP, one that doesn't.
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { type Pod, pod, readLine } from "./net.ts";

const BLOCK = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 7 + (i >> 8)) & 255));

export async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Pieces of so many bytes in all, each with a mark of its own. */
export function* pieces(size: number): Generator<Buffer> {
  for (let at = 0; at < size; at += BLOCK.length) {
    const piece = Buffer.from(BLOCK.subarray(0, Math.min(BLOCK.length, size - at)));
    if (piece.length >= 4) piece.writeUInt32BE(at);
    yield piece;
  }
}

export function hashOfPieces(size: number): string {
  const hash = createHash("sha256");
  for (const piece of pieces(size)) hash.update(piece);
  return hash.digest("hex");
}

export interface WebPod {
  channel: string;
  /** Requests for /hold that wait for `release`. */
  held: () => number;
  release(): void;
  /** Bytes of /bytes/N on their way so far. */
  sent: number;
}

/** Answers with its name; /bytes/N with so many; a POST with the checksum of what came; /hold when told to. */
export async function webPod(t: TestContext, name: string): Promise<WebPod> {
  const waiting = new Set<http.ServerResponse>();
  const counted = function* (size: number) {
    for (const piece of pieces(size)) {
      me.sent += piece.length;
      yield piece;
    }
  };
  const server = http.createServer(async (request, response) => {
    const size = /^\/bytes\/(\d+)$/.exec(request.url ?? "")?.[1];
    if (request.method === "POST") {
      response.end(await hashOf(request));
    } else if (size !== undefined) {
      response.setHeader("content-length", size);
      const source = Readable.from(counted(Number(size)), { highWaterMark: 1 });
      response.on("close", () => source.destroy());
      source.pipe(response);
    } else if (request.url === "/hold") {
      waiting.add(response);
      response.on("close", () => waiting.delete(response));
    } else {
      response.end(name);
    }
  });
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const me: WebPod = {
    channel: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: () => waiting.size,
    release: () => {
      for (const response of waiting) response.end(name);
    },
    sent: 0,
  };
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return me;
}

/** By line: `up N` takes so many bytes and says their checksum, `down N` sends as many, anything else comes back. */
export async function rawPod(t: TestContext): Promise<Pod> {
  return pod(t, async (socket) => {
    socket.on("end", () => socket.end());
    for (;;) {
      const line = await readLine(socket).catch(() => undefined);
      if (line === undefined) return;
      const [word, size] = line.split(" ");
      if (word === "up") {
        socket.write(`${await hashOfNext(socket, Number(size))}\n`);
      } else if (word === "down") {
        for (const piece of pieces(Number(size))) if (!socket.write(piece)) await once(socket, "drain");
      } else {
        socket.write(`${line}\n`);
      }
    }
  });
}

/** Of the next so many bytes; what comes after them stays. */
export async function hashOfNext(socket: Readable, size: number): Promise<string> {
  const hash = createHash("sha256");
  let left = size;
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error(`ended, ${left} bytes early`));
    const onData = (chunk: Buffer) => {
      hash.update(chunk.subarray(0, left));
      if (chunk.length < left) {
        left -= chunk.length;
        return;
      }
      socket.off("data", onData).off("close", onClose).pause();
      if (chunk.length > left) socket.unshift(chunk.subarray(left));
      resolve(hash.digest("hex"));
    };
    socket.on("data", onData).on("close", onClose).resume();
  });
}
