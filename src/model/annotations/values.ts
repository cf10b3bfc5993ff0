// SPDX-License-Identifier: Apache-2.0
/** Parsers for values. Each is an allow-list: what it does not know is refused, never passed on. */
import { canonicalRange } from "../cidr.ts";
import { hasDotSegment, isUrlPath, normalisePath } from "../url-path.ts";
import type { Parsed } from "./spec.ts";

const MAX_URL = 2048;
/** Every range is looked at for every request of the rule. */
const MAX_RANGES = 1000;

export function accept<T>(value: T, note?: string): Parsed<T> {
  return { ok: true, value, ...(note === undefined ? {} : { note }) };
}

export function refuse<T>(why: string, reason?: string): Parsed<T> {
  return { ok: false, why, ...(reason === undefined ? {} : { reason }) };
}

export function parseBoolean(text: string): Parsed<boolean> {
  const word = text.toLowerCase();
  if (word === "true" || word === "1") return accept(true);
  if (word === "false" || word === "0") return accept(false);
  return refuse("is neither true nor false");
}

/** One of some words, in any case. */
export function parseWord<T extends string>(...words: readonly T[]): (text: string) => Parsed<T> {
  return (text) => {
    const found = words.find((word) => word === text.toLowerCase());
    return found === undefined ? refuse(`is none of ${words.join(", ")}`) : accept(found);
  };
}

export function parseInteger(min: number, max: number): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? accept(value) : refuse(`is no whole number from ${min} to ${max}`);
  };
}

/** Whole seconds, with or without the unit. */
export function parseSeconds(min: number, max: number): (text: string) => Parsed<number> {
  const parse = parseInteger(min, max);
  return (text) => {
    const parsed = parse(text.replace(/(?<=\d)s$/, ""));
    return parsed.ok ? parsed : refuse(`is no whole number of seconds from ${min} to ${max}`);
  };
}

/** Bytes, or with k, m or g a multiple of 1024. */
export function parseSize(text: string): Parsed<number> {
  const [, digits = "", unit = ""] = /^(\d{1,15})([kmg]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase());
  return digits !== "" && bytes <= Number.MAX_SAFE_INTEGER
    ? accept(bytes)
    : refuse("is no size such as 512k, 8m or 1g");
}

/** Address ranges separated by commas, in canonical form, sorted, each once. */
export function parseRanges(text: string): Parsed<readonly string[]> {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length > MAX_RANGES) return refuse(`has more than ${MAX_RANGES} ranges`);
  const ranges = parts.map(canonicalRange);
  const known = ranges.filter((range) => range !== undefined);
  if (known.length < ranges.length) return refuse("is no list of addresses and ranges such as 10.0.0.0/8");
  return accept([...new Set(known)].sort());
}

/** A path for the request line to the pod. */
export function parsePath(text: string): Parsed<string> {
  if (text.includes("$")) {
    return refuse(
      "has capture groups, which are not supported: give the path without a pattern and the target without $",
    );
  }
  if (!isUrlPath(text) || text.startsWith("//")) return refuse("is no absolute URL path");
  if (hasDotSegment(text)) return refuse("has a dot segment");
  return accept(normalisePath(text));
}

const PATH_CHARS = "(?:[A-Za-z0-9\\-._~!&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*";
const QUERY_CHARS = "(?:[A-Za-z0-9\\-._~!&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*";
const AUTHORITY = "(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9A-Fa-f:.]{2,45}\\])(?::\\d{1,5})?";
const LOCATION = new RegExp(
  `^(?:https?://${AUTHORITY}(?:/${PATH_CHARS})?|/(?!/)${PATH_CHARS})(?:\\?${QUERY_CHARS})?(?:#${QUERY_CHARS})?$`,
);

/** Where a redirect leads: an http or https URL, or a path of the same host. */
export function parseLocation(text: string): Parsed<string> {
  if (text.includes("$")) return refuse("has variables, which are not supported");
  return text.length <= MAX_URL && LOCATION.test(text)
    ? accept(text)
    : refuse("is neither an http or https URL nor an absolute path");
}
