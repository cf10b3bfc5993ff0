// SPDX-License-Identifier: Apache-2.0
/** What becomes of our custom resources: conditions, as data. Times are put on them by who writes them (src/status). */
import type { ConditionStatus, ConditionType } from "../crd/status.ts";
import { compareText, formatRef, keyOf } from "./refs.ts";
import type { ObjectRef } from "./types.ts";

export interface Condition {
  readonly type: ConditionType;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

export interface PolicyStatus {
  readonly ref: ObjectRef;
  /** Absent for objects from files. */
  readonly generation?: number;
  readonly conditions: readonly Condition[];
}

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What was found out about one object; `conditions` is what it comes to. */
export interface Verdict {
  /** Why it is not accepted. */
  readonly refusal?: Refusal;
  /** Who says it already. */
  readonly lostTo: readonly ObjectRef[];
  /** Whether anything of it is in what is rendered; `why` it is not, or not all. */
  readonly effect: "all" | "some" | "none";
  readonly why?: Refusal;
}

interface WithGeneration {
  readonly metadata?: { readonly generation?: number };
}

export function describeVerdict(ref: ObjectRef, object: WithGeneration, verdict: Verdict): PolicyStatus {
  const generation = object.metadata?.generation;
  return {
    ref,
    ...(generation === undefined ? {} : { generation }),
    conditions: [describeAcceptance(verdict), describeConflict(verdict), describeEffect(verdict)],
  };
}

/** By kind and name. */
export function sortStatuses(statuses: readonly PolicyStatus[]): readonly PolicyStatus[] {
  return [...statuses].sort(
    (a, b) => compareText(a.ref.kind, b.ref.kind) || compareText(keyOf(a.ref), keyOf(b.ref)),
  );
}

function describeAcceptance({ refusal }: Verdict): Condition {
  return refusal === undefined
    ? {
        type: "Accepted",
        status: "True",
        reason: "Accepted",
        message: "it is well-formed, and what it refers to is there",
      }
    : { type: "Accepted", status: "False", ...refusal };
}

function describeConflict({ lostTo }: Verdict): Condition {
  if (lostTo.length === 0) {
    return {
      type: "Conflicted",
      status: "False",
      reason: "NoConflict",
      message: "no older object says the same",
    };
  }
  const names = [...new Set(lostTo.map(formatRef))].sort(compareText).join(", ");
  return {
    type: "Conflicted",
    status: "True",
    reason: "OlderWins",
    message: `${names} is older and has the say`,
  };
}

function describeEffect({ effect, why, refusal, lostTo }: Verdict): Condition {
  if (effect === "all") {
    return { type: "Programmed", status: "True", reason: "Programmed", message: "all of it is in effect" };
  }
  const lost =
    lostTo.length > 0 ? { reason: "Conflicted", message: "an older object has the say" } : undefined;
  const { reason, message } = why ?? refusal ?? lost ?? { reason: "NotUsed", message: "nothing asks for it" };
  return effect === "some"
    ? {
        type: "Programmed",
        status: "True",
        reason: "PartlyProgrammed",
        message: `not all of it is in effect: ${message}`,
      }
    : { type: "Programmed", status: "False", reason, message };
}
