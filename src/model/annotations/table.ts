// SPDX-License-Identifier: Apache-2.0
/** All annotations that have an effect, by the key they are known by in the model. */
import { ACCESS } from "./access.ts";
import { BALANCING } from "./balancing.ts";
import { CLIENT_CERTIFICATES } from "./client-certificates.ts";
import { HEALTH } from "./health.ts";
import { LANE } from "./lane.ts";
import { LIMITS } from "./limits.ts";
import { REDIRECTS } from "./redirects.ts";
import { REWRITES } from "./rewrites.ts";
import type { AnnotationSpec, ValueOf } from "./spec.ts";

export const ANNOTATIONS = {
  ...LANE,
  ...REDIRECTS,
  ...REWRITES,
  ...ACCESS,
  ...CLIENT_CERTIFICATES,
  ...LIMITS,
  ...BALANCING,
  ...HEALTH,
};

export type AnnotationKey = keyof typeof ANNOTATIONS;

/** What an object says; keys it says nothing about are absent. */
export type AnnotationValues = { -readonly [K in AnnotationKey]?: ValueOf<(typeof ANNOTATIONS)[K]> };

export interface NamedSpec {
  readonly key: AnnotationKey;
  readonly spec: AnnotationSpec<unknown>;
  /** Which of several spellings in one object is taken: the lowest. */
  readonly rank: number;
}

/** By whole name, prefix included. */
export const BY_NAME: ReadonlyMap<string, NamedSpec> = new Map(
  (Object.keys(ANNOTATIONS) as AnnotationKey[]).flatMap((key) => {
    const spec: AnnotationSpec<unknown> = ANNOTATIONS[key];
    const names = [spec.name, ...(spec.alias === undefined ? [] : [spec.alias])];
    const prefixes = ["evener.io/", ...(spec.nginx ? ["nginx.ingress.kubernetes.io/"] : [])];
    const spellings = prefixes.flatMap((prefix) => names.map((name) => `${prefix}${name}`));
    return spellings.map((spelling, rank) => [spelling, { key, spec, rank }] as const);
  }),
);
