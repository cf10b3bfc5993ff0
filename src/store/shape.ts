// SPDX-License-Identifier: Apache-2.0
/** A small structural check for parsed manifests: what the API server would do for us in a cluster. */
import { quote } from "../model/quote.ts";

export type Shape =
  | "string"
  | "integer"
  | "boolean"
  | "integer-or-string"
  | "any"
  | { readonly map: Shape }
  | { readonly list: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] };

export interface ShapeFault {
  readonly kind: "unknown" | "mistyped" | "missing";
  readonly field: string;
  readonly message: string;
}

/**
 * Checks `value` and cleans it in place: nulls count as absent and are removed, so are unknown fields
 * (they can't reach the model); every fault is listed.
 */
export function checkShape(value: unknown, shape: Shape, field: string, faults: ShapeFault[]): void {
  if (shape === "any") return;
  if (typeof shape === "string") {
    if (!isScalar(value, shape)) mistyped(value, shape.replaceAll("-", " "), field, faults);
    return;
  }
  if ("list" in shape) {
    if (!Array.isArray(value)) {
      mistyped(value, "list", field, faults);
      return;
    }
    value.forEach((item, i) => {
      checkShape(item, shape.list, `${field}[${i}]`, faults);
    });
    return;
  }
  if (!isObject(value)) {
    mistyped(value, "object", field, faults);
    return;
  }
  for (const key of Object.keys(value)) {
    if (value[key] === null) delete value[key];
  }
  if ("map" in shape) {
    for (const [key, item] of Object.entries(value)) {
      checkShape(item, shape.map, `${field}[${quote(key)}]`, faults);
    }
    return;
  }
  checkFields(value, shape, field, faults);
}

function checkFields(
  value: Record<string, unknown>,
  shape: Extract<Shape, { fields: unknown }>,
  field: string,
  faults: ShapeFault[],
): void {
  for (const [key, item] of Object.entries(value)) {
    const known = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    if (known !== undefined) {
      checkShape(item, known, joinField(field, key), faults);
      continue;
    }
    delete value[key];
    const where = field === "" ? "the object" : field;
    faults.push({
      kind: "unknown",
      field: joinField(field, key),
      message: `${where} has no field ${quote(key)}; it is ignored`,
    });
  }
  for (const key of shape.required ?? []) {
    if (!Object.hasOwn(value, key)) {
      faults.push({
        kind: "missing",
        field: joinField(field, key),
        message: `${joinField(field, key)} is required`,
      });
    }
  }
}

/** The value itself is not shown: it may be a key in the wrong place. */
function mistyped(value: unknown, wanted: string, field: string, faults: ShapeFault[]): void {
  const found = value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
  faults.push({ kind: "mistyped", field, message: `${field} must be of type ${wanted}, not ${found}` });
}

function isScalar(value: unknown, type: string): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "integer":
      return Number.isSafeInteger(value);
    case "boolean":
      return typeof value === "boolean";
    default:
      return typeof value === "string" || Number.isSafeInteger(value);
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A key that is no plain word is quoted, so that a hostile one can't forge a field path. */
function joinField(field: string, key: string): string {
  const step = /^[A-Za-z][A-Za-z0-9]{0,62}$/.test(key) ? `.${key}` : `[${quote(key)}]`;
  return field === "" && step.startsWith(".") ? key : `${field}${step}`;
}
