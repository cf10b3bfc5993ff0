// SPDX-License-Identifier: Apache-2.0
/** The ways in which a list or a watch ends. */
import type { IncomingHttpHeaders } from "node:http";
import { isObject } from "../../store/shape.ts";

export type Failure =
  /** The server ended the response in order. */
  | { readonly kind: "closed" }
  /** No connection, or one that broke: refused, reset, no name, no TLS. */
  | { readonly kind: "broken"; readonly message: string }
  /** Nothing came for longer than a bookmark takes. */
  | { readonly kind: "stalled"; readonly message: string }
  /** Something came that can't be understood; what it was is not known. */
  | { readonly kind: "garbled"; readonly message: string }
  | {
      readonly kind: "status";
      readonly code: number;
      readonly message: string;
      readonly retryAfterMs?: number;
    };

/** Longer than this no server is obeyed: a typing error in a proxy shall not blind us for a day. */
const MAX_RETRY_AFTER_MS = 60_000;

/** A response that is not 200, whatever its body holds. */
export function readStatusFailure(status: number, headers: IncomingHttpHeaders, body: string): Failure {
  const parsed = parseObject(body);
  const failure = describeStatus(parsed, status);
  const seconds = Number(headers["retry-after"] ?? retryAfterOf(parsed));
  if (!Number.isFinite(seconds) || seconds <= 0) return failure;
  return { ...failure, retryAfterMs: Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) };
}

/** The object of an ERROR event: a `Status`. */
export function readErrorEvent(object: unknown): Failure {
  return describeStatus(isObject(object) ? object : {}, 500);
}

export function readThrown(error: unknown): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return { kind: "broken", message: [code, message].filter((part) => typeof part === "string").join(": ") };
}

export function describeFailure(failure: Failure): string {
  if (failure.kind === "status") return `HTTP ${failure.code}: ${failure.message}`;
  return failure.kind === "closed" ? "the server ended the watch early" : failure.message;
}

function describeStatus(status: Record<string, unknown>, fallback: number) {
  const code = typeof status.code === "number" ? status.code : fallback;
  const text = typeof status.message === "string" ? status.message : "";
  return { kind: "status", code, message: text.slice(0, 300) } as const;
}

function retryAfterOf(status: Record<string, unknown>): unknown {
  return isObject(status.details) ? status.details.retryAfterSeconds : undefined;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
