// SPDX-License-Identifier: Apache-2.0
/** What is to be written into the status of one Ingress, and the requests that do it. */
import type { V1Ingress } from "@kubernetes/client-node";
import { refOf } from "../model/refs.ts";
import type { ObjectRef } from "../model/types.ts";
import { type ApiRequest, FIELD_MANAGER, MERGE_PATCH } from "../report/api.ts";
import { isSameAddresses, type PublishedAddress } from "./addresses.ts";

export interface StatusWish {
  readonly ref: ObjectRef;
  /** Of the object that the decision was made on, as is its class. */
  readonly resourceVersion: string | undefined;
  readonly className: string;
  readonly addresses: readonly PublishedAddress[];
  /** Only in place of these. */
  readonly replaces?: readonly PublishedAddress[];
}

export function describeWish(ingress: V1Ingress, addresses: readonly PublishedAddress[]): StatusWish {
  const { resourceVersion } = ingress.metadata ?? {};
  return { ref: refOf("Ingress", ingress), resourceVersion, className: readClass(ingress), addresses };
}

/** What the object says of its class, not yet what that means. */
function readClass({ spec, metadata }: V1Ingress): string {
  return JSON.stringify([spec?.ingressClassName, metadata?.annotations?.["kubernetes.io/ingress.class"]]);
}

/** The version to patch; undefined when there is nothing to write, or the object is not the one that was decided on. */
export function findVersion(
  fresh: V1Ingress,
  { ref, className, addresses, replaces }: StatusWish,
): string | undefined {
  if (ref.uid !== undefined && fresh.metadata?.uid !== ref.uid) return undefined;
  if (readClass(fresh) !== className) return undefined;
  const current = readAddresses(fresh);
  if (isSameAddresses(current, addresses)) return undefined;
  if (replaces !== undefined && !isSameAddresses(current, replaces)) return undefined;
  return fresh.metadata?.resourceVersion;
}

export function readAddresses(ingress: V1Ingress): readonly PublishedAddress[] {
  return (ingress.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ({
    ...(ip === undefined ? {} : { ip }),
    ...(hostname === undefined ? {} : { hostname }),
  }));
}

/**
 * With uid and version the patch is refused (409) when the object is no longer the one that was looked at: it may have come
 * to another class, or be another of the same name.
 */
export function describePatch(wish: StatusWish): ApiRequest {
  const { ref, resourceVersion, addresses } = wish;
  const uid = ref.uid === undefined ? {} : { uid: ref.uid };
  return {
    method: "PATCH",
    path: `${pathOf(ref)}/status?${FIELD_MANAGER}`,
    contentType: MERGE_PATCH,
    body: {
      metadata: { ...uid, resourceVersion },
      status: { loadBalancer: { ingress: addresses.length === 0 ? null : addresses } },
    },
  };
}

export function describeRead({ ref }: StatusWish): ApiRequest {
  return { method: "GET", path: pathOf(ref) };
}

function pathOf({ namespace = "", name }: ObjectRef): string {
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`;
}
