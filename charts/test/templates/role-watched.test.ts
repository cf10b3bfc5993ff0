// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { assertNone } from "../lib/assert-chart.ts";
import { listGrants } from "../lib/rbac.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

const WATCHED = [
  "get list watch ingresses.networking.k8s.io",
  "patch ingresses/status.networking.k8s.io",
  "list watch services",
  "list watch endpointslices.discovery.k8s.io",
  "create patch events.events.k8s.io",
  "list watch backendpolicies clientcertificatepolicies.evener.io",
  "patch backendpolicies/status clientcertificatepolicies/status.evener.io",
  "list watch configmaps",
  "list watch secrets",
];
const LEADER = [
  "ingress: create leases.coordination.k8s.io",
  "ingress: get update leases.coordination.k8s.io [evener-leader]",
];
const CLASSES = [
  "*: list watch ingressclasses.networking.k8s.io",
  "*: list watch tlsprofiles.evener.io",
  "*: patch tlsprofiles/status.evener.io",
];

test("the release's own namespace: exactly this", async () => {
  const grants = await listGrants({ scope: { enabled: true } });
  assert.deepEqual(
    grants.toSorted(),
    [...CLASSES, ...LEADER, ...WATCHED.map((grant) => `ingress: ${grant}`)].toSorted(),
  );
});

test("other namespaces: each the same, and by name what is elsewhere", async () => {
  const grants = await listGrants(VALUE_SETS["other namespaces"] ?? {});
  assert.deepEqual(
    grants.toSorted(),
    [
      ...CLASSES,
      ...LEADER,
      ...WATCHED.map((grant) => `shop: ${grant}`),
      ...WATCHED.map((grant) => `blog: ${grant}`),
      "certificates: list watch secrets [wildcard]",
      "network: list watch services [front]",
    ].toSorted(),
  );
});

test("a namespace that is given twice has one role", async () => {
  const grants = await listGrants({ scope: { enabled: true, additionalNamespaces: ["ingress", "shop"] } });
  assert.equal(grants.filter((grant) => grant === "ingress: list watch secrets").length, 1);
});

test("none where the whole cluster is read, scope or not", async () => {
  await assertNone("Role", {}, "evener.ingress");
  await assertNone("Role", VALUE_SETS["namespaces with a ClusterRole"], "evener.ingress");
});
