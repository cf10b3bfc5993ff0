// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

test("evener, and not the default class", async () => {
  const { metadata, spec } = await renderOne("IngressClass");
  assert.equal(metadata.name, "evener");
  assert.deepEqual(spec, { controller: "evener.io/ingress-controller" });
  assert.ok(!("annotations" in metadata));
});

test("the default class", async () => {
  const { metadata } = await renderOne("IngressClass", {
    ingressClassResource: { default: true, annotations: { note: "edge" } },
  });
  assert.deepEqual(metadata.annotations, {
    "ingressclass.kubernetes.io/is-default-class": "true",
    note: "edge",
  });
});

test("another name and controller are told to the program too", async () => {
  const values = { ingressClassResource: { name: "internal", controllerValue: "example.org/internal" } };
  const { metadata, spec } = await renderOne("IngressClass", values);
  assert.equal(metadata.name, "internal");
  assert.equal(spec.controller, "example.org/internal");
  const { args } = (await renderOne("Deployment", values)).spec.template.spec.containers[0];
  assert.ok(
    args.includes("--ingress-class=internal") && args.includes("--controller-class=example.org/internal"),
  );
});

test("parameters", async () => {
  const { spec } = await renderOne("IngressClass", VALUE_SETS["class with parameters"]);
  assert.deepEqual(spec.parameters, {
    apiGroup: "evener.io",
    kind: "TLSProfile",
    name: "strict",
    scope: "Cluster",
  });
});

test("none where somebody else makes it", async () => {
  await assertNone("IngressClass", { ingressClassResource: { enabled: false } });
});
