// SPDX-License-Identifier: Apache-2.0
/**
 * Checks a value as the API server would: bounds and CEL rules. Types, unknown fields and nulls have been dealt with before
 * (store/shape.ts, by `toShape`). A directory of manifests has no API server, and a cluster may have older definitions than this program.
 */
import { Environment } from "@marcbachmann/cel-js";
import { quote } from "../model/quote.ts";
import { isObject, type Shape } from "../store/shape.ts";
import type { CelRule, JsonSchema } from "./schema.ts";

export interface Fault {
  readonly field: string;
  readonly message: string;
}

export function checkValue(value: unknown, schema: JsonSchema, field: string): readonly Fault[] {
  const faults: Fault[] = [];
  visit(value, schema, field, faults);
  return faults;
}

/** The part of a schema that shape.ts knows of. */
export function toShape(schema: JsonSchema): Shape {
  const { type, properties, items, required } = schema;
  if (schema["x-kubernetes-int-or-string"] === true) return "integer-or-string";
  switch (type) {
    case "object": {
      const fields = Object.entries(properties ?? {}).map(([name, json]) => [name, toShape(json)] as const);
      return { fields: Object.fromEntries(fields), ...(required === undefined ? {} : { required }) };
    }
    case "array":
      return { list: items === undefined ? "any" : toShape(items) };
    case undefined:
      return "any";
    default:
      return type;
  }
}

function visit(value: unknown, schema: JsonSchema, field: string, faults: Fault[]): void {
  const before = faults.length;
  for (const message of listFaults(value, schema)) faults.push({ field, message: `${field} ${message}` });
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [i, item] of value.entries()) visit(item, schema.items, `${field}[${i}]`, faults);
  } else if (isObject(value)) {
    for (const [name, json] of Object.entries(schema.properties ?? {})) {
      if (Object.hasOwn(value, name)) visit(value[name], json, `${field}.${name}`, faults);
    }
  }
  // As in the API server, rules are not asked about what is malformed: its size would not be bounded.
  if (faults.length > before) return;
  for (const rule of schema["x-kubernetes-validations"] ?? []) {
    if (!holds(rule, value)) faults.push({ field, message: `${field}: ${rule.message}` });
  }
}

function* listFaults(value: unknown, schema: JsonSchema): Generator<string> {
  if (schema.enum !== undefined && !schema.enum.some((one) => one === value)) {
    yield `must be one of ${schema.enum.map((one) => (one === "" ? '""' : one)).join(", ")}, not ${quote(value)}`;
  }
  if (typeof value === "number") {
    const { minimum: min = Number.MIN_SAFE_INTEGER, maximum: max = Number.MAX_SAFE_INTEGER } = schema;
    if (value < min || value > max) yield `must be from ${min} to ${max}, not ${value}`;
  } else if (typeof value === "string") {
    const { minLength: min = 0, maxLength: max = Number.POSITIVE_INFINITY } = schema;
    const { length } = [...value];
    if (length < min) yield min === 1 ? "must not be empty" : `must have at least ${min} characters`;
    if (length > max) yield `must have at most ${max} characters, not ${length}`;
  } else if (Array.isArray(value)) {
    const { minItems: min = 0, maxItems: max = Number.POSITIVE_INFINITY } = schema;
    if (value.length < min) yield min === 1 ? "must not be empty" : `must have at least ${min} entries`;
    if (value.length > max) yield `must have at most ${max} entries, not ${value.length}`;
    if (schema["x-kubernetes-list-type"] === "set") {
      const twice = value.find((item, i) => value.indexOf(item) !== i);
      if (twice !== undefined) yield `has ${quote(twice)} twice`;
    }
  }
}

const environment = new Environment().registerVariable("self", "dyn");
const programs = new Map<string, (context: Record<string, unknown>) => unknown>();

function holds({ rule }: CelRule, value: unknown): boolean {
  let program = programs.get(rule);
  if (program === undefined) {
    program = environment.parse(rule);
    programs.set(rule, program);
  }
  // A rule that can't be answered does not hold: nobody else will refuse the value.
  try {
    return program({ self: toCel(value) }) === true;
  } catch {
    return false;
  }
}

/** CEL's integers are 64 bits wide and never equal a double. */
function toCel(value: unknown): unknown {
  if (typeof value === "number") return BigInt(value);
  if (Array.isArray(value)) return value.map(toCel);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toCel(item)]));
}
