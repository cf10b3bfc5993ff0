// SPDX-License-Identifier: Apache-2.0
/** JSON in, JSON out, over a transport; every request ends by itself. */
import type { ApiCall, ApiResponse } from "../kube/transport.ts";
import type { Api, ApiAnswer, ApiRequest } from "./api.ts";

export interface Sender {
  send(call: ApiCall): Promise<ApiResponse>;
}

const TIMEOUT_MS = 15_000;
/** One object; nothing that is asked for here comes near it. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export function createHttpApi(sender: Sender): Api {
  return {
    async request({ method, path, body, contentType, timeoutMs }: ApiRequest): Promise<ApiAnswer> {
      const signal = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
      const text =
        body === undefined
          ? {}
          : { body: { type: contentType ?? "application/json", text: JSON.stringify(body) } };
      const response = await sender.send({ method, path, signal, ...text });
      return { status: response.status, body: parse(await readAll(response.body)) };
    },
  };
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error("the API server's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A proxy's error page is no JSON, and the status says enough. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
