// SPDX-License-Identifier: Apache-2.0
/** What one annotation is. The parser, the documentation and what people are told about it come from here. */

/** What happens to the Ingress when a value can't be read. */
export type FaultEffect =
  /** The annotation has no effect, the Ingress is served. */
  | "ignore"
  /** The rules of the Ingress are left out: without the annotation they would lead to the wrong place. */
  | "refuse"
  /** The rules answer 403: without the annotation they would let in whom they should not. */
  | "close";

export type Parsed<T> =
  /** `note` is the end of a sentence that begins with the value: how what is done differs from what was asked for. */
  | { readonly ok: true; readonly value: T; readonly note?: string }
  /** `why` is the end of a sentence that begins with the value. */
  | { readonly ok: false; readonly why: string; readonly reason?: string };

export interface AnnotationSpec<T> {
  /** What follows `evener.io/`. */
  readonly name: string;
  /** Another name for it; where both are given, `name` wins. */
  readonly alias?: string;
  /** Whether `nginx.ingress.kubernetes.io/NAME` is read too. */
  readonly nginx: boolean;
  /** `backend`: it says something about pools and is read on Services too, which win over Ingresses. Absent: read on Ingresses only. */
  readonly scope?: "backend";
  /** Type and bounds of the value, for people. */
  readonly type: string;
  readonly doc: string;
  readonly onFault: FaultEffect;
  readonly parse: (text: string) => Parsed<T>;
}

export function annotation<T>(spec: AnnotationSpec<T>): AnnotationSpec<T> {
  return Object.freeze(spec);
}

export type ValueOf<S> = S extends AnnotationSpec<infer T> ? T : never;
