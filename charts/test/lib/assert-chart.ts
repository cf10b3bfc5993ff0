// SPDX-License-Identifier: Apache-2.0
/** What tests of the chart ask of a rendering. */
import assert from "node:assert/strict";
import {
  type KubeObject,
  type RenderOptions,
  renderChart,
  tryTemplate,
  type Values,
} from "../../tools/helm.ts";

// biome-ignore lint/suspicious/noExplicitAny: rendered YAML has whatever shape the template gave it; the test says which.
export type Any = any;

export async function renderKind(
  kind: string,
  values: Values = {},
  options: RenderOptions = {},
): Promise<Any[]> {
  return (await renderChart(values, options)).filter((object) => object.kind === kind);
}

/** The only one of its kind (and name). */
export async function renderOne(
  kind: string,
  values: Values = {},
  name?: string,
  options: RenderOptions = {},
): Promise<Any> {
  const found = (await renderKind(kind, values, options)).filter(
    ({ metadata }: KubeObject) => name === undefined || metadata.name === name,
  );
  assert.equal(
    found.length,
    1,
    `${kind}: ${found.map(({ metadata }: KubeObject) => metadata.name).join(", ")}`,
  );
  return found[0];
}

export async function assertNone(kind: string, values: Values = {}, name?: string): Promise<void> {
  const found = (await renderKind(kind, values)).filter(
    ({ metadata }: KubeObject) => name === undefined || metadata.name === name,
  );
  assert.deepEqual(found, []);
}

/** Ends with exactly this sentence, not with an error of the template language. */
export async function assertRefused(values: Values, sentence: string): Promise<void> {
  const { ok, stderr } = await tryTemplate(values);
  assert.equal(ok, false, `was rendered: ${JSON.stringify(values)}`);
  assert.ok(stderr.includes(`: ${sentence}`), `expected: ${sentence}\nactual: ${stderr}`);
}

export async function assertInvalid(values: Values, pattern: RegExp): Promise<void> {
  const { ok, stderr } = await tryTemplate(values);
  assert.equal(ok, false, `was rendered: ${JSON.stringify(values)}`);
  assert.match(stderr, /values don't meet the specifications of the schema/);
  assert.match(stderr, pattern);
}
