// SPDX-License-Identifier: Apache-2.0
/** What is to be written into the status of one of our custom resources, and the request that does it. */
import { DEFINITIONS, isCustomKind } from "../crd/definitions.ts";
import type { StoredCondition } from "../crd/resource.ts";
import type { PolicyStatus } from "../model/policy-status.ts";
import type { ObjectRef } from "../model/types.ts";
import { type ApiRequest, FIELD_MANAGER } from "../report/api.ts";

export interface ConditionWish {
  readonly ref: ObjectRef;
  readonly conditions: readonly StoredCondition[];
}

/** The API server takes no longer message. */
const MAX_MESSAGE = 4096;

/** The conditions to write, or undefined when they are there already. `stored` is what the cache has. */
export function describeConditions(
  { ref, generation, conditions }: PolicyStatus,
  stored: readonly StoredCondition[],
  now: Date,
): ConditionWish | undefined {
  const wanted = conditions.map(({ type, status, reason, message }): StoredCondition => {
    const before = stored.find((one) => one.type === type);
    return {
      type,
      status,
      reason,
      message: message.slice(0, MAX_MESSAGE),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      // It is about the status alone: another reason is no transition.
      lastTransitionTime:
        before?.status === status ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, "Z"),
    };
  });
  const isThere = wanted.every((one) => stored.some((other) => isSame(one, other)));
  return isThere ? undefined : { ref, conditions: wanted };
}

/** Applied as ours: conditions of others stay. With the uid it is refused for another object of the same name. */
export function describeApply({ ref, conditions }: ConditionWish): ApiRequest {
  const { apiVersion, kind, namespace, name, uid } = ref;
  const plural = isCustomKind(kind) ? DEFINITIONS[kind].plural : "";
  const middle = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  };
  return {
    method: "PATCH",
    path: `/apis/${apiVersion}${middle}/${plural}/${name}/status?${FIELD_MANAGER}&force=true`,
    contentType: "application/apply-patch+yaml",
    body: { apiVersion, kind, metadata, status: { conditions } },
  };
}

/** Whether two wishes say the same, whenever they came up. */
export function isSameWish(a: ConditionWish, b: ConditionWish): boolean {
  return (
    a.ref.uid === b.ref.uid &&
    a.conditions.length === b.conditions.length &&
    a.conditions.every((one, i) => {
      const other = b.conditions[i];
      return other !== undefined && isSame(one, other);
    })
  );
}

function isSame(a: StoredCondition, b: StoredCondition): boolean {
  return (
    a.type === b.type &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
