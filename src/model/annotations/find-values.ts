// SPDX-License-Identifier: Apache-2.0
/** The annotations of one object → values by key, for Ingresses and Services alike. */
import type { Report } from "../problems.ts";
import { quote } from "../quote.ts";
import type { ObjectRef } from "../types.ts";
import type { FaultEffect } from "./spec.ts";
import { type AnnotationKey, type AnnotationValues, BY_NAME, type NamedSpec } from "./table.ts";

export const OURS = "evener.io/";
export const NGINX = "nginx.ingress.kubernetes.io/";

/** Tells about one annotation; `effect` is what it does to the object. */
export type Tell = (name: string, effect: FaultEffect, reason: string, message: string) => void;

export interface Values {
  readonly values: AnnotationValues;
  /** The spelling that was taken, prefix included. */
  readonly nameOf: (key: AnnotationKey) => string;
}

export interface Finder {
  readonly ref: ObjectRef;
  readonly report: Report;
  readonly tell: Tell;
  /** What to do with a name that has no entry in the table, or one that does not belong on this object. */
  readonly tellOther: (name: string, text: string, known: NamedSpec | undefined) => void;
  readonly belongs: (known: NamedSpec) => boolean;
}

interface Found {
  readonly name: string;
  readonly text: string;
  readonly named: NamedSpec;
}

/** Of several spellings of one annotation the one of the lowest rank is taken; each value that has no effect is told about. */
export function findValues(
  annotations: Readonly<Record<string, string>>,
  names: readonly string[],
  { ref, report, tell, tellOther, belongs }: Finder,
): Values {
  const found = new Map<AnnotationKey, Found>();
  for (const name of names) {
    const text = (annotations[name] ?? "").trim();
    const named = BY_NAME.get(name);
    if (named === undefined || !belongs(named)) tellOther(name, text, named);
    else if (text === "") tell(name, "ignore", "AnnotationInvalid", `${name} is empty`);
    else if ((found.get(named.key)?.named.rank ?? Number.POSITIVE_INFINITY) > named.rank) {
      found.set(named.key, { name, text, named });
    }
  }
  const values: Partial<Record<AnnotationKey, unknown>> = {};
  for (const [key, { name, text, named }] of found) {
    const { spec } = named;
    const parsed = spec.parse(text);
    if (!parsed.ok) {
      tell(name, spec.onFault, parsed.reason ?? "AnnotationInvalid", `${name}: ${quote(text)} ${parsed.why}`);
      continue;
    }
    values[key] = parsed.value;
    if (parsed.note !== undefined) {
      report(ref, "warning", "AnnotationDiffers", `${name}: ${quote(text)} ${parsed.note}`, fieldOf(name));
    }
  }
  // Each value comes from the parser of its own key.
  return { values: values as AnnotationValues, nameOf: (key) => found.get(key)?.name ?? key };
}

export function fieldOf(name: string): string {
  const isPlain = /^[a-z.]{1,60}\/[a-z0-9-]{1,63}$/.test(name);
  return `metadata.annotations[${isPlain ? name : quote(name)}]`;
}
