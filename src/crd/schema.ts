// SPDX-License-Identifier: Apache-2.0
/**
 * Builders for the schemas of our custom resources. A schema is what the API server gets (structural OpenAPI v3 with CEL rules), what
 * manifests from files are checked with, and, through `ValueOf`, the static type of the value.
 */

/** A CEL rule; `self` is the value it stands at. */
export interface CelRule {
  readonly rule: string;
  /** For the person who wrote the object. */
  readonly message: string;
}

export interface JsonSchema {
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly "x-kubernetes-int-or-string"?: true;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly CelRule[];
}

declare const VALUE: unique symbol;

export interface Schema<T> {
  readonly json: JsonSchema;
  /** Only for the compiler. */
  readonly [VALUE]?: T;
}

export type ValueOf<S> = S extends Schema<infer T> ? T : never;

/** What every field may say of itself. `absent` is what holds where the field is not given. */
interface About {
  readonly doc: string;
  readonly absent?: string;
  readonly rules?: readonly CelRule[];
}

export interface TextForm {
  /** RE2 and JavaScript understand it alike; no backslash, no quote. */
  readonly pattern: string;
  readonly max: number;
  /** `must be …` */
  readonly message: string;
}

export function text(form: TextForm, about: About): Schema<string> {
  const { pattern, max, message } = form;
  const rules = [{ rule: `self.matches('${pattern}')`, message }, ...(about.rules ?? [])];
  return { json: { type: "string", ...describe({ ...about, rules }), minLength: 1, maxLength: max } };
}

export function word<const T extends string>(words: readonly T[], about: About): Schema<T> {
  return { json: { type: "string", ...describe(about), enum: words } };
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function integer({ min, max }: Bounds, about: About): Schema<number> {
  return { json: { type: "integer", ...describe(about), format: "int64", minimum: min, maximum: max } };
}

export function flag(about: About): Schema<boolean> {
  return { json: { type: "boolean", ...describe(about) } };
}

/** A number, or a name of this form. */
export function integerOrText({ min, max }: Bounds, form: TextForm, about: About): Schema<number | string> {
  const rule = `type(self) == int ? self >= ${min} && self <= ${max} : self.matches('${form.pattern}')`;
  return {
    json: {
      ...describe({ ...about, rules: [{ rule, message: form.message }, ...(about.rules ?? [])] }),
      "x-kubernetes-int-or-string": true,
      anyOf: [{ type: "integer" }, { type: "string" }],
      maxLength: form.max,
    },
  };
}

interface ListAbout extends About {
  readonly min?: number;
  readonly max: number;
  /** `set`: each value once. */
  readonly of?: "atomic" | "set";
}

export function list<T>(
  item: Schema<T>,
  { min, max, of = "atomic", ...about }: ListAbout,
): Schema<readonly T[]> {
  return {
    json: {
      type: "array",
      ...describe(about),
      ...(min === undefined ? {} : { minItems: min }),
      maxItems: max,
      "x-kubernetes-list-type": of,
      items: item.json,
    },
  };
}

type Fields = Readonly<Record<string, Schema<unknown>>>;

type ObjectOf<F extends Fields, R extends keyof F> = {
  readonly [K in R]: ValueOf<F[K]>;
} & { readonly [K in Exclude<keyof F, R>]?: ValueOf<F[K]> };

export function fields<F extends Fields, const R extends keyof F & string = never>(
  properties: F,
  { required, ...about }: About & { readonly required?: readonly R[] },
): Schema<ObjectOf<F, R>> {
  return {
    json: {
      type: "object",
      ...describe(about),
      ...(required === undefined || required.length === 0 ? {} : { required }),
      properties: Object.fromEntries(Object.entries(properties).map(([name, { json }]) => [name, json])),
    },
  };
}

/** At most one, or exactly one, of some fields of an object. */
export function oneOf(names: readonly string[], need: "exactly" | "at most"): CelRule {
  const count = names.map((name) => `(has(self.${name}) ? 1 : 0)`).join(" + ");
  return {
    rule: `${count} ${need === "exactly" ? "==" : "<="} 1`,
    message: `${need} one of ${names.join(", ")} ${need === "exactly" ? "must" : "may"} be given`,
  };
}

function describe({ doc, absent, rules }: About): JsonSchema {
  return {
    description: absent === undefined ? doc : `${doc} Without it: ${absent}.`,
    ...(rules === undefined || rules.length === 0 ? {} : { "x-kubernetes-validations": rules }),
  };
}
