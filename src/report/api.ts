// SPDX-License-Identifier: Apache-2.0
/** The little of the Kubernetes API that reporting needs. Tests have their own; `src/kube` has the real one. */

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, from `/api` or `/apis` on. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` unless told. */
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON, undefined when there is none. */
  readonly body: unknown;
}

export interface Api {
  /** Resolves with whatever the API server answers; rejects when it gives no answer. */
  request(request: ApiRequest): Promise<ApiAnswer>;
}

export const MERGE_PATCH = "application/merge-patch+json";

/** One who writes shall be recognised in managedFields. */
export const FIELD_MANAGER = "fieldManager=evener";

export function isSuccess({ status }: ApiAnswer): boolean {
  return status >= 200 && status < 300;
}

/** What the server says about a refusal, without the object it may quote. */
export function describeAnswer({ status, body }: ApiAnswer): string {
  const { reason, message } = (typeof body === "object" && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const words = [reason, message].filter((word) => typeof word === "string" && word !== "");
  return [`status ${status}`, ...words].join(": ").slice(0, 500);
}

/** metav1.MicroTime, which is refused without its six digits. */
export function formatMicroTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}
