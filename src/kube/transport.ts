// SPDX-License-Identifier: Apache-2.0
/** HTTP requests to the API server, small enough to be replaced in tests. */
import type { IncomingHttpHeaders } from "node:http";

export interface ApiRequest {
  /** Path and query. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** A request that may change something. */
export interface ApiCall extends ApiRequest {
  readonly method: string;
  readonly body?: { readonly type: string; readonly text: string };
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Ends when the server ends it; throws when the connection breaks before. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Transport {
  /** Resolves when the head of the response is there. Rejects when there is none, or when `signal` says stop. */
  get(request: ApiRequest): Promise<ApiResponse>;
  close(): void;
}
