// SPDX-License-Identifier: Apache-2.0
/**
 * A mistake in a file shall not take down what it served before. As an API server that refuses an update keeps the old
 * object, so does a file with errors: the objects that its errors made vanish stay as they last were. Only a file that is
 * whole again, or deleted, removes objects.
 */
import { fileRef, keyOf, refOf } from "../../model/refs.ts";
import type { Problem } from "../../model/types.ts";
import type { ParsedManifests, StoredObject } from "../../store/parse-manifests.ts";
import type { ScannedFile } from "./scan.ts";

const NAMED = 5;

export function keepLastGood(
  stamp: string,
  parsed: ParsedManifests,
  before: ScannedFile | undefined,
): ScannedFile {
  if (before === undefined || !parsed.problems.some((problem) => problem.severity === "error")) {
    return { stamp, parsed };
  }
  const present = new Set(parsed.objects.map(identify));
  const kept = before.parsed.objects.filter((stored) => !present.has(identify(stored)));
  const unchanged =
    kept.length === before.parsed.objects.length &&
    parsed.objects.length === 0 &&
    JSON.stringify(before.parsed.problems) === JSON.stringify(withNote(parsed, kept).problems);
  // The same mistake, read again, is no change.
  if (unchanged) return { stamp, parsed: before.parsed };
  return { stamp, parsed: withNote(parsed, kept) };
}

function withNote(parsed: ParsedManifests, kept: readonly StoredObject[]): ParsedManifests {
  const first = kept[0];
  if (first === undefined) return parsed;
  const names = kept.slice(0, NAMED).map(identify).join(", ");
  const more = kept.length > NAMED ? ` and ${kept.length - NAMED} more` : "";
  const note: Problem = {
    ref: fileRef(first.file),
    severity: "warning",
    reason: "LastGoodKept",
    message: `${first.file} has errors; as they last were stay in use: ${names}${more}`,
  };
  return { ...parsed, objects: [...parsed.objects, ...kept], problems: [...parsed.problems, note] };
}

function identify(stored: StoredObject): string {
  return `${stored.kind} ${keyOf(refOf(stored.kind, stored.object))}`;
}
