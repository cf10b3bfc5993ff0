// SPDX-License-Identifier: Apache-2.0
import { compareText, keyOf } from "./refs.ts";
import type { ObjectRef, Problem, Severity } from "./types.ts";

/** Where the parts of a rebuild put what they find wrong. */
export type Report = (
  ref: ObjectRef,
  severity: Severity,
  reason: string,
  message: string,
  field?: string,
) => void;

/** What was given to a Report, to be told again without being found again. */
export type Finding = Parameters<Report>;

export function recordFindings<T>(find: (report: Report) => T): {
  readonly result: T;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const result = find((...finding) => findings.push(finding));
  return { result, findings };
}

export function replayFindings(findings: readonly Finding[], report: Report): void {
  for (const finding of findings) report(...finding);
}

/** Collects problems; the same one (two rules, one missing Service) is kept once per field. */
export function collectProblems(): { readonly report: Report; readonly sorted: () => readonly Problem[] } {
  const problems: Problem[] = [];
  return {
    report(ref, severity, reason, message, field) {
      problems.push({ ref, severity, reason, ...(field === undefined ? {} : { field }), message });
    },
    sorted: () => sortProblems(problems),
  };
}

/** By object, then field, reason and message; exact duplicates are dropped. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const keyed = problems.map((problem) => ({ problem, key: sortKey(problem) }));
  keyed.sort((a, b) => compareText(a.key, b.key));
  return keyed.filter((entry, i) => i === 0 || entry.key !== keyed[i - 1]?.key).map((entry) => entry.problem);
}

function sortKey({ ref, field, reason, message, severity }: Problem): string {
  // Numbers in field paths are padded so that rules[10] comes after rules[9].
  const path = (field ?? "").replace(/\d+/g, (digits) => digits.padStart(6, "0"));
  return [ref.kind, keyOf(ref), ref.apiVersion, path, reason, message, severity].join("\u0000");
}
