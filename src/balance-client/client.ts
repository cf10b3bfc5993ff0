// SPDX-License-Identifier: Apache-2.0
/** Speaks with Balance's control socket: one command per connection, JSON lines back, the last one has `ok`. */
import { createConnection } from "node:net";
import { LineSplitter } from "../supervise/lines.ts";
import type { BalanceHttp, BalancePool, BalanceReload, BalanceStatus } from "./types.ts";

export class BalanceError extends Error {
  /** `UNREACHABLE`: no answer, so nothing is known; `REFUSED`: Balance said no. */
  readonly code: "UNREACHABLE" | "REFUSED";

  constructor(code: "UNREACHABLE" | "REFUSED", message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface BalanceClient {
  status(): Promise<BalanceStatus>;
  pools(): Promise<BalancePool[]>;
  http(): Promise<BalanceHttp>;
  reload(): Promise<BalanceReload>;
}

export type Line = Readonly<Record<string, unknown>>;

/** An answer longer than this is none. */
const MAX_ANSWER = 256 * 1024 * 1024;
const MAX_ANSWER_LINE = 64 * 1024 * 1024;

export function createBalanceClient(socketPath: string, timeoutMs = 5000): BalanceClient {
  return {
    status: async () => last(await ask(socketPath, "status", timeoutMs)) as unknown as BalanceStatus,
    pools: async () => (await ask(socketPath, "pools", timeoutMs)).slice(0, -1) as unknown as BalancePool[],
    http: async () => last(await ask(socketPath, "http", timeoutMs)) as unknown as BalanceHttp,
    reload: async () => last(await ask(socketPath, "reload", timeoutMs)) as unknown as BalanceReload,
  };
}

/** All lines of an answer, the last of which has `ok`. */
export async function ask(socketPath: string, command: string, timeoutMs: number): Promise<Line[]> {
  const lines = await exchange(socketPath, command, timeoutMs);
  const end = last(lines);
  if (end.ok !== true) throw new BalanceError("REFUSED", String(end.error ?? "no reason given"));
  return lines;
}

function last(lines: readonly Line[]): Line {
  const line = lines.at(-1);
  if (line === undefined) throw new BalanceError("UNREACHABLE", "Balance gave an empty answer");
  return line;
}

function exchange(socketPath: string, command: string, timeoutMs: number): Promise<Line[]> {
  return new Promise((resolve, reject) => {
    const lines: Line[] = [];
    let size = 0;
    const socket = createConnection(socketPath);
    const fail = (message: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new BalanceError("UNREACHABLE", `${command}: ${message}`, cause));
    };
    const timer = setTimeout(() => fail(`no answer from Balance within ${timeoutMs} ms`), timeoutMs);
    const splitter = new LineSplitter((text) => {
      try {
        const line = JSON.parse(text) as Line;
        lines.push(line);
        if (!("ok" in line)) return;
        clearTimeout(timer);
        socket.destroy();
        resolve(lines);
      } catch (error) {
        fail("Balance's answer is not JSON", error);
      }
    }, MAX_ANSWER_LINE);
    socket.once("connect", () => socket.write(`${command}\n`));
    socket.on("data", (chunk) => {
      size += chunk.length;
      if (size > MAX_ANSWER) fail("Balance's answer is too long");
      else splitter.push(chunk);
    });
    socket.on("error", (error) => fail(error.message, error));
    socket.on("end", () => fail("Balance closed the control socket before its answer was complete"));
  });
}
