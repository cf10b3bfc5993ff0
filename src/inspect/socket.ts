// SPDX-License-Identifier: Apache-2.0
/** The controller's own socket in the run directory, from the side of who asks. */
import { request } from "node:http";
import type { Inspection } from "./types.ts";

export const INSPECT_SOCKET = "inspect.sock";

/** A cluster of a hundred thousand routes needs less. */
const MAX_ANSWER = 256 * 1024 * 1024;

export class InspectError extends Error {
  readonly code = "UNREACHABLE";
}

export async function fetchInspection(socketPath: string, timeoutMs: number): Promise<Inspection> {
  const text = await get(socketPath, "/inspection.json", timeoutMs);
  try {
    return JSON.parse(text) as Inspection;
  } catch (cause) {
    throw new InspectError("the answer is no JSON", { cause });
  }
}

function get(socketPath: string, path: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown) => reject(new InspectError(message, { cause }));
    const asked = request(
      { socketPath, path, headers: { host: "localhost" }, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > MAX_ANSWER) asked.destroy(new Error("the answer is too long"));
        });
        response.on("error", (error) => fail(error.message, error));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if (response.statusCode === 200) resolve(text);
          else fail(`it answers ${response.statusCode}: ${text.slice(0, 200).trim()}`);
        });
      },
    );
    asked.on("error", (error) => fail(error.message, error));
    asked.end();
  });
}
