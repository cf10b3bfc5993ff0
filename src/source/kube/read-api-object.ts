// SPDX-License-Identifier: Apache-2.0
/** An object as the API sent it → the part of it that is kept, or what is wrong with it. */
import { checkValue, type Fault } from "../../crd/check.ts";
import { type CustomKind, DEFINITIONS, isCustomKind } from "../../crd/definitions.ts";
import { quote } from "../../model/quote.ts";
import { compareText, keyOf, refOf } from "../../model/refs.ts";
import type { Problem } from "../../model/types.ts";
import { KINDS, type StoredKind } from "../../store/kinds.ts";
import { checkShape, isObject, type ShapeFault } from "../../store/shape.ts";
import type { Interner } from "./interner.ts";
import { WATCHED } from "./watched-kinds.ts";

export interface ApiObjectName {
  readonly key: string;
  readonly name: string;
  readonly namespace?: string;
  readonly version: string | undefined;
}

/** Undefined for what has no name: no API server sends that. */
export function readName(kind: StoredKind, object: unknown): ApiObjectName | undefined {
  const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {};
  const { name, namespace, resourceVersion } = metadata;
  if (typeof name !== "string" || (KINDS[kind].namespaced && typeof namespace !== "string")) return undefined;
  const ref = { name, ...(typeof namespace === "string" ? { namespace } : {}) };
  return {
    ...ref,
    key: keyOf(ref),
    version: typeof resourceVersion === "string" ? resourceVersion : undefined,
  };
}

export type ReadResult =
  | { readonly ok: true; readonly object: object }
  | { readonly ok: false; readonly problem: Problem };

/** The definition in the cluster may be of another version than this program. */
function checkSpec(object: unknown, kind: CustomKind): readonly Fault[] {
  return checkValue(isObject(object) ? object.spec : undefined, DEFINITIONS[kind].spec, "spec");
}

/** The API server has checked its objects; this is for the one that has not, or is newer than we are. */
export function readApiObject(
  kind: StoredKind,
  { name, namespace }: ApiObjectName,
  object: unknown,
  interner: Interner,
): ReadResult {
  const faults: ShapeFault[] = [];
  checkShape(object, KINDS[kind].shape, "", faults);
  // Fields we don't know are of a newer API.
  const wrong = faults
    .filter((fault) => fault.kind !== "unknown")
    .sort((a, b) => compareText(a.field, b.field));
  const ref = refOf(kind, { metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
  const [first] = wrong.length > 0 || !isCustomKind(kind) ? wrong : checkSpec(object, kind);
  if (first !== undefined) {
    const message = `${first.message}; the object is left out`;
    return {
      ok: false,
      problem: { ref, severity: "error", reason: "InvalidField", field: first.field, message },
    };
  }
  const { creationTimestamp } = (object as { metadata: Record<string, unknown> }).metadata;
  if (creationTimestamp !== undefined && Number.isNaN(Date.parse(String(creationTimestamp)))) {
    const field = "metadata.creationTimestamp";
    const message = `${field} is no time: ${quote(creationTimestamp)}; the object is left out`;
    return { ok: false, problem: { ref, severity: "error", reason: "InvalidField", field, message } };
  }
  // The shape has been checked, field by field, against what the API defines for this kind.
  const trim = WATCHED[kind].trim as (object: unknown, interner: Interner) => object;
  return { ok: true, object: trim(object, interner) };
}
