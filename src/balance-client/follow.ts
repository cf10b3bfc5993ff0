// SPDX-License-Identifier: Apache-2.0
/** The stream of events from Balance's control socket. */
import { createConnection } from "node:net";
import { LineSplitter } from "../supervise/lines.ts";
import { BalanceError } from "./client.ts";
import type { BalanceEvent } from "./types.ts";

const MAX_LINE = 1024 * 1024;

/** Resolves when `signal` is aborted; rejects when Balance refuses, or ends before. */
export function followBalance(
  socketPath: string,
  onEvent: (event: BalanceEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    const leave = () => {
      socket.destroy();
      resolve();
    };
    const fail = (error: BalanceError) => {
      signal.removeEventListener("abort", leave);
      socket.destroy();
      reject(error);
    };
    const splitter = new LineSplitter((text) => {
      try {
        const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
        if (line.ok === false) fail(new BalanceError("REFUSED", String(line.error ?? "no reason given")));
        else if (typeof line.event === "string") onEvent({ ...line, event: line.event });
      } catch (error) {
        fail(new BalanceError("UNREACHABLE", "follow: Balance's answer is not JSON", error));
      }
    }, MAX_LINE);
    if (signal.aborted) return leave();
    signal.addEventListener("abort", leave, { once: true });
    socket.once("connect", () => socket.write("follow\n"));
    socket.on("data", (chunk) => splitter.push(chunk));
    socket.on("error", (error) => fail(new BalanceError("UNREACHABLE", `follow: ${error.message}`, error)));
    socket.on("end", () => fail(new BalanceError("UNREACHABLE", "follow: Balance ended")));
  });
}
