// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { renderOne } from "../lib/assert-chart.ts";

test("the Lease that the program is told of, and nothing in it that the program writes", async () => {
  for (const values of [{}, { electionID: "edge" }]) {
    const { metadata, spec } = await renderOne("Lease", values);
    const { args } = (await renderOne("Deployment", values)).spec.template.spec.containers[0];
    assert.ok(args.includes(`--election-id=${metadata.name}`));
    assert.equal(metadata.namespace, "ingress");
    assert.equal(spec, undefined);
  }
});
