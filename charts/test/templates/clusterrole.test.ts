// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { renderChart } from "../../tools/helm.ts";
import { listRules, renderRbac, withoutRule } from "../../tools/render-rbac.ts";
import { assertNone, renderOne } from "../lib/assert-chart.ts";
import { listGrants } from "../lib/rbac.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

test("the whole cluster: exactly this", async () => {
  assert.deepEqual(await listGrants({}), [
    "*: list watch ingressclasses.networking.k8s.io",
    "*: list watch tlsprofiles.evener.io",
    "*: patch tlsprofiles/status.evener.io",
    "*: get list watch ingresses.networking.k8s.io",
    "*: patch ingresses/status.networking.k8s.io",
    "*: list watch services",
    "*: list watch endpointslices.discovery.k8s.io",
    "*: create patch events.events.k8s.io",
    "*: list watch backendpolicies clientcertificatepolicies.evener.io",
    "*: patch backendpolicies/status clientcertificatepolicies/status.evener.io",
    "*: list watch configmaps",
    "*: list watch secrets",
    "ingress: create leases.coordination.k8s.io",
    "ingress: get update leases.coordination.k8s.io [evener-leader]",
  ]);
});

test("with namespaces, only what belongs to none is left of it", async () => {
  const { rules } = await renderOne("ClusterRole", { scope: { enabled: true } });
  assert.deepEqual(rules, [
    { apiGroups: ["networking.k8s.io"], resources: ["ingressclasses"], verbs: ["list", "watch"] },
    { apiGroups: ["evener.io"], resources: ["tlsprofiles"], verbs: ["list", "watch"] },
    { apiGroups: ["evener.io"], resources: ["tlsprofiles/status"], verbs: ["patch"] },
  ]);
});

test("with Secrets by name, it has none of them", async () => {
  const { rules } = await renderOne("ClusterRole", VALUE_SETS["Secrets by name"]);
  assert.ok(!JSON.stringify(rules).includes("secrets"));
});

test("two releases of one name don't collide", async () => {
  const { metadata } = await renderOne("ClusterRole", {}, undefined, { namespace: "other" });
  assert.equal(metadata.name, "evener.other");
});

test("nothing of it without rbac.create", async () => {
  await assertNone("ClusterRole", { rbac: { create: false } });
});

test("no rule of any set of values has a wildcard, and none writes what belongs to users", async () => {
  const WRITES = [
    "ingresses/status",
    "events",
    "leases",
    "backendpolicies/status",
    "clientcertificatepolicies/status",
    "tlsprofiles/status",
  ];
  for (const [name, values] of Object.entries(VALUE_SETS)) {
    for (const { rule } of listRules(await renderRbac(values))) {
      const { apiGroups, resources, verbs } = rule;
      assert.ok(![...apiGroups, ...resources, ...verbs].includes("*"), name);
      if (verbs.every((verb) => ["get", "list", "watch"].includes(verb))) continue;
      assert.ok(
        resources.every((resource) => WRITES.includes(resource)),
        `${name}: ${resources.join(" ")}`,
      );
    }
  }
});

test("rules can be taken away one by one", async () => {
  const rbac = await renderRbac();
  const rules = listRules(rbac);
  assert.equal(rules.length, 14);
  for (const ref of rules) {
    const left = listRules(withoutRule(rbac, ref)).map(({ rule }) => rule);
    assert.deepEqual(
      left,
      rules.filter((other) => other !== ref).map(({ rule }) => rule),
    );
  }
});

test("nothing but workloads and permissions is made that lasts", async () => {
  for (const [name, values] of Object.entries(VALUE_SETS)) {
    for (const { metadata } of await renderChart(values)) {
      assert.ok(!Object.keys(metadata.annotations ?? {}).some((key) => key.startsWith("helm.sh/")), name);
    }
  }
});
