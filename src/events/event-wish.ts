// SPDX-License-Identifier: Apache-2.0
/** Problems and successes → what an Event about them says. */
import { createHash } from "node:crypto";
import type { IngressStatus, ObjectRef, Problem } from "../model/types.ts";

export interface EventWish {
  readonly regarding: ObjectRef;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly note: string;
}

/** Events are about objects of the API; a file or the controller itself is none. */
const KINDS = new Set(["Ingress", "IngressClass", "Service", "Secret", "EndpointSlice"]);
const OWN_GROUP = "evener.io/";
const NOT_IN_API = new Set(["Evener", "File"]);

/** The API's limit is 1,024 characters, and Go counts bytes. */
const MAX_NOTE_BYTES = 1024;

/**
 * `ours` are the uids of our Ingresses: whatever else is wrong with another class's is not ours to say. Who watches some
 * namespaces only (`watched`; empty: all) may write Events nowhere else: what is wrong with an object elsewhere, or with one
 * that belongs to no namespace, is in the log, the metrics and on the debug page.
 */
export function describeProblemEvents(
  problems: readonly Problem[],
  ours: ReadonlySet<string>,
  watched: readonly string[],
): readonly EventWish[] {
  return problems.flatMap(({ ref, reason, message, field }) => {
    if (!isApiObject(ref) || (ref.kind === "Ingress" && !ours.has(ref.uid))) return [];
    if (watched.length > 0 && !watched.includes(ref.namespace ?? "")) return [];
    const note = cutBytes(field === undefined ? message : `${field}: ${message}`, MAX_NOTE_BYTES);
    return [{ regarding: ref, type: "Warning", reason, note }];
  });
}

export function describeSynced({ ref, hosts }: IngressStatus): EventWish {
  const list = hosts.map((host) => (host === "*" ? "every other host" : host)).join(", ");
  return {
    regarding: ref,
    type: "Normal",
    reason: "Synced",
    note: cutBytes(`serving ${list}`, MAX_NOTE_BYTES),
  };
}

/** The same thing said again has the same key, in this process and in the next. */
export function keyOfEvent({ regarding, type, reason, note }: EventWish): string {
  const { kind, namespace, name, uid } = regarding;
  const parts = JSON.stringify([kind, namespace, name, uid, type, reason, note]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 20);
}

export function cutBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  const dots = "…";
  let cut = Buffer.from(text)
    .subarray(0, max - Buffer.byteLength(dots))
    .toString();
  // Half a character at the end became a replacement character.
  cut = cut.replace(/\uFFFD+$/u, "");
  return cut + dots;
}

function isApiObject(ref: ObjectRef): ref is ObjectRef & { readonly uid: string } {
  if (ref.uid === undefined) return false;
  return KINDS.has(ref.kind) || (ref.apiVersion.startsWith(OWN_GROUP) && !NOT_IN_API.has(ref.kind));
}
