// SPDX-License-Identifier: Apache-2.0
/** Our own check of the schemas, as manifests from a directory meet it. The API server's is in e2e/kube/crds.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CUSTOM_KINDS, DEFINITIONS } from "../../src/crd/definitions.ts";
import { listDrift } from "../../src/crd/generate.ts";
import type { JsonSchema } from "../../src/crd/schema.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { INVALID, VALID } from "./cases.ts";
import { compareRefusals } from "./golden.ts";

function read(object: unknown) {
  return parseManifests(JSON.stringify(object), "case.json");
}

describe("custom resources in manifests", () => {
  test("what is wrong is refused, field by field", () => {
    assert.ok(INVALID.length >= 40, `${INVALID.length} cases`);
    const refusals = INVALID.map(({ name, object }) => {
      const { objects, problems } = read(object);
      assert.deepEqual(objects, [], name);
      assert.ok(
        problems.some(({ severity }) => severity === "error"),
        name,
      );
      return [name, problems.map(({ field, message }) => `${field}: ${message}`)] as const;
    });
    compareRefusals("local.txt", new Map(refusals));
  });

  test("what is right is taken as it is", () => {
    for (const { name, object } of VALID) {
      const { objects, problems } = read(object);
      assert.deepEqual(problems, [], name);
      assert.deepEqual(objects[0]?.object, object, name);
    }
  });

  test("an unknown field is left out and told about", () => {
    const [valid] = VALID;
    const object = { ...valid?.object, spec: { ...(valid?.object.spec as object), stratgy: "first" } };
    const { objects, problems } = read(object);
    assert.deepEqual(
      problems.map(({ severity, reason, field }) => [severity, reason, field]),
      [["warning", "UnknownField", "spec.stratgy"]],
    );
    const [kept] = objects as unknown as readonly [{ readonly object: { readonly spec: object } }];
    assert.ok(!("stratgy" in kept.object.spec));
  });
});

describe("definitions", () => {
  test("the generated files are what the source says", async () => {
    assert.deepEqual(await listDrift(), []);
  });

  test("every field says what it is, and every text, list and number is bounded", () => {
    const visit = (schema: JsonSchema, path: string): void => {
      assert.match(schema.description ?? "", /^\S.*\.$/, path);
      if (schema.type === "string" && schema.enum === undefined) {
        assert.ok(schema.maxLength !== undefined && schema["x-kubernetes-validations"] !== undefined, path);
      }
      if (schema.type === "integer")
        assert.ok(schema.minimum !== undefined && schema.maximum !== undefined, path);
      if (schema.type === "array") assert.ok(schema.maxItems !== undefined, path);
      for (const [name, json] of Object.entries(schema.properties ?? {})) visit(json, `${path}.${name}`);
      if (schema.items !== undefined) visit(schema.items, `${path}[]`);
    };
    for (const kind of CUSTOM_KINDS) visit(DEFINITIONS[kind].spec, kind);
  });
});
