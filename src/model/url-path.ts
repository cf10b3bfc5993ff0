// SPDX-License-Identifier: Apache-2.0
/** URL paths as they are compared with requests: Balance brings a request's path into the same form (RFC 3986 §6.2.2). */

const MAX_PATH = 2048;

/** RFC 3986 path characters; anything else can't stand in a request line as it is. */
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

/** A path that a request can have. No request that Balance takes holds an encoded NUL. */
export function isUrlPath(text: string): boolean {
  return text.length <= MAX_PATH && PATH.test(text) && !text.includes("%00");
}

/** Escapes of unreserved characters are decoded, the others written in upper case. */
export function normalisePath(path: string): string {
  if (!path.includes("%")) return path;
  return path.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return /^[A-Za-z0-9\-._~]$/.test(char) ? char : triplet.toUpperCase();
  });
}

/** A request's dot segments are resolved before it is compared, so a rule with one would never match. */
export function hasDotSegment(path: string): boolean {
  return /\/\.{1,2}(?:\/|$)/.test(normalisePath(path));
}

/** A request's slashes in a row are compared as one, so a rule with two would never match. */
export function hasEmptySegment(path: string): boolean {
  return path.includes("//");
}
