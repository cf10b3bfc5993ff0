// SPDX-License-Identifier: Apache-2.0
/** spec.rules[].http.paths[] → what Balance compares a request's path with. */
import type { V1HTTPIngressPath } from "@kubernetes/client-node";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import type { ObjectRef, PathKind } from "./types.ts";
import { hasDotSegment, hasEmptySegment, isUrlPath, normalisePath } from "./url-path.ts";

export interface RulePath {
  readonly kind: PathKind;
  readonly path: string;
}

const PATH_TYPES = ["Exact", "Prefix", "ImplementationSpecific"];

/** Where an ACME server looks for the answer to its challenge (RFC 8555 §8.3). */
const CHALLENGES = "/.well-known/acme-challenge";

/** Undefined, with a problem, when no request could have this path or when it looks like a pattern. */
export function readPath(
  { path: text = "", pathType }: V1HTTPIngressPath,
  ref: ObjectRef,
  field: string,
  report: Report,
): RulePath | undefined {
  if (!PATH_TYPES.includes(pathType)) {
    const message = `${quote(pathType)} is no path type; the path is left out`;
    report(ref, "error", "PathNotAllowed", message, `${field}.pathType`);
    return undefined;
  }
  const kind = pathType === "Exact" ? "exact" : "prefix";
  const fault = text === "" ? undefined : findFault(text, kind);
  if (fault !== undefined) {
    const [reason, why] = fault;
    report(ref, "error", reason, `${quote(text)} ${why}; it is left out`, `${field}.path`);
    return undefined;
  }
  const path = normalisePath(text);
  return { kind, path: kind === "exact" ? path || "/" : path.replace(/\/+$/, "") || "/" };
}

export function isChallenge({ path }: RulePath): boolean {
  return path === CHALLENGES || path.startsWith(`${CHALLENGES}/`);
}

function findFault(text: string, kind: PathKind): readonly [reason: string, why: string] | undefined {
  if (looksLikePattern(text, kind)) {
    const why =
      "looks like a pattern, but paths are literal (use-regex is not supported); give a path of type Prefix";
    return ["PatternNotSupported", why];
  }
  if (!isUrlPath(text)) return ["PathNotAllowed", "is no URL path"];
  if (hasDotSegment(text)) return ["PathNotAllowed", "has a dot segment, which no request keeps"];
  if (hasEmptySegment(text))
    return ["PathNotAllowed", "has slashes in a row, which count as one in requests"];
  return undefined;
}

/** Parentheses, stars and dollar signs are legal in a path, so only their use in patterns tells. */
function looksLikePattern(text: string, kind: PathKind): boolean {
  if (!text.startsWith("/")) return /^[\^~(]/.test(text);
  if (/\\|\||\[.*\]|\(\?|[)\]][*+?{]|\.[*+?]/.test(text)) return true;
  return kind === "prefix" && /[$*]$|\/\*(?:\/|$)/.test(text);
}
