// SPDX-License-Identifier: Apache-2.0
/** What helm says after an installation. */
import assert from "node:assert/strict";
import test from "node:test";
import { CHART_DIR, runHelm, type Values } from "../tools/helm.ts";
import { VALUE_SETS } from "./lib/value-sets.ts";

async function renderNotes(values: Values): Promise<string> {
  const args = [
    "install",
    "evener",
    CHART_DIR,
    "--namespace",
    "ingress",
    "--dry-run=client",
    "--values",
    "-",
  ];
  const { ok, stdout, stderr } = await runHelm(args, JSON.stringify(values));
  assert.ok(ok, stderr);
  return stdout.split("NOTES:\n")[1] ?? "";
}

test("how to wait and what to write", async () => {
  const notes = await renderNotes({});
  assert.match(notes, /rollout status deployment\/evener/);
  assert.match(notes, /get service evener/);
  assert.match(notes, /ingressClassName: evener/);
});

test("a warning about ports of the node", async () => {
  const notes = await renderNotes(VALUE_SETS["bare metal, node's network"] ?? {});
  assert.match(notes, /takes ports of the node/);
  assert.match(notes, /rollout status daemonset\/evener/);
  assert.doesNotMatch(notes, /get service/);
});

test("watched namespaces and unchecked flags", async () => {
  const notes = await renderNotes({ ...VALUE_SETS["other namespaces"], extraArgs: { odd: "1" } });
  assert.match(notes, /in shop, blog\./);
  assert.match(notes, /passed on unchecked: odd\./);
});
