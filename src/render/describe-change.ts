// SPDX-License-Identifier: Apache-2.0
/** What changed in a rendered file, as a unified diff. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

export interface ChangeLimits {
  /** Added and removed lines. */
  readonly maxEditLength: number;
  /** Milliseconds. */
  readonly timeout: number;
}

const OPTIONS = { context: 3, headerOptions: FILE_HEADERS_ONLY };

/** Empty when both say the same; undefined when they differ by more than the limits allow to find out. */
export function describeChange(name: string, before: string, after: string): string;
export function describeChange(
  name: string,
  before: string,
  after: string,
  limits: ChangeLimits,
): string | undefined;
export function describeChange(
  name: string,
  before: string,
  after: string,
  limits?: ChangeLimits,
): string | undefined {
  const [from, to] = [withoutHash(before), withoutHash(after)];
  if (from === to) return "";
  const [old, young] = [`old/${name}`, `new/${name}`];
  return limits === undefined
    ? createTwoFilesPatch(old, young, from, to, undefined, undefined, OPTIONS)
    : createTwoFilesPatch(old, young, from, to, undefined, undefined, { ...OPTIONS, ...limits });
}

/** Its first line is about all the others. */
function withoutHash(text: string): string {
  return text.replace(/^hash[ \t].*\n/m, "");
}
