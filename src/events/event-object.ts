// SPDX-License-Identifier: Apache-2.0
/** events.k8s.io/v1 Events as the API server takes them (pkg/apis/core/validation/events.go). */
import { type ApiRequest, FIELD_MANAGER, formatMicroTime, MERGE_PATCH } from "../report/api.ts";
import type { EventWish } from "./event-wish.ts";

export const REPORTING_CONTROLLER = "evener.io/ingress-controller";
const ACTION = "Sync";

export interface EventAuthor {
  /** At most 128 characters. */
  readonly instance: string;
}

export interface EventPlace {
  readonly namespace: string;
  readonly name: string;
}

/** A name made of what it says: another replica, or this one after a restart, meets the same Event. */
export function placeEvent({ regarding }: EventWish, key: string): EventPlace {
  // 253 is the limit; what is cut off leaves whole labels, for a name must not have ".." or "-." in it.
  const name = regarding.name.slice(0, 220).replace(/[^a-z0-9]+$/, "");
  // Events about objects without a namespace belong into this one.
  return { namespace: regarding.namespace ?? "default", name: `${name}.${key}` };
}

export function describeCreate(wish: EventWish, key: string, author: EventAuthor, now: Date): ApiRequest {
  const { regarding, type, reason, note } = wish;
  const { namespace, name } = placeEvent(wish, key);
  const { apiVersion, kind, uid } = regarding;
  return {
    method: "POST",
    path: `${pathOf(namespace)}?${FIELD_MANAGER}`,
    body: {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace, name },
      eventTime: formatMicroTime(now),
      reportingController: REPORTING_CONTROLLER,
      reportingInstance: author.instance,
      action: ACTION,
      type,
      reason,
      note,
      regarding: { apiVersion, kind, ...onlyDefined(regarding.namespace), name: regarding.name, uid },
    },
  };
}

/** A patch that changes nothing reads as well, and those who write Events usually may do no more than create and patch them. */
export function describeRead(wish: EventWish, key: string): ApiRequest {
  const { namespace, name } = placeEvent(wish, key);
  return { method: "PATCH", path: `${pathOf(namespace)}/${name}`, contentType: MERGE_PATCH, body: {} };
}

/** An Event that was told already is told again by its series; nothing else of it may change. */
export function describeRepeat(wish: EventWish, key: string, existing: unknown, now: Date): ApiRequest {
  const { namespace, name } = placeEvent(wish, key);
  const count = readCount(existing) + 1;
  return {
    method: "PATCH",
    path: `${pathOf(namespace)}/${name}?${FIELD_MANAGER}`,
    contentType: MERGE_PATCH,
    body: { series: { count, lastObservedTime: formatMicroTime(now) } },
  };
}

function readCount(existing: unknown): number {
  const { series } = (existing ?? {}) as { series?: { count?: unknown } | null };
  return typeof series?.count === "number" ? series.count : 1;
}

function onlyDefined(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function pathOf(namespace: string): string {
  return `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
}
