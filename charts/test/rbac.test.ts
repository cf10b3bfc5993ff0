// SPDX-License-Identifier: Apache-2.0
/**
 * The chart's permissions as the API server's authorizer understands them: what the controller asks for is allowed, and what a
 * stolen token could be used for is not. The whole controller runs under them in e2e/.
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { Cluster } from "../../e2e/kube/lib/cluster.ts";
import type { Manifest } from "../../e2e/lib/manifests.ts";
import type { Values } from "../tools/helm.ts";
import { renderRbac } from "../tools/render-rbac.ts";
import type { Any } from "./lib/assert-chart.ts";
import { VALUE_SETS } from "./lib/value-sets.ts";

/** `verb resource[/subresource][.group] [namespace[/name]]` */
type Request = string;

const NETWORKING = "networking.k8s.io";

/** What src/source/kube, src/status, src/events and src/leader ask for about one namespace. */
function listNeeds(namespace: string, secret = ""): Request[] {
  return [
    `list ingresses.${NETWORKING} ${namespace}`,
    `watch ingresses.${NETWORKING} ${namespace}`,
    `get ingresses.${NETWORKING} ${namespace}/shop`,
    `patch ingresses/status.${NETWORKING} ${namespace}/shop`,
    `list services ${namespace}`,
    `watch services ${namespace}`,
    `list endpointslices.discovery.k8s.io ${namespace}`,
    `watch endpointslices.discovery.k8s.io ${namespace}`,
    `list backendpolicies.evener.io ${namespace}`,
    `watch clientcertificatepolicies.evener.io ${namespace}`,
    `patch backendpolicies/status.evener.io ${namespace}/shop`,
    `patch clientcertificatepolicies/status.evener.io ${namespace}/shop`,
    `list configmaps ${namespace}`,
    `watch configmaps ${namespace}`,
    `create events.events.k8s.io ${namespace}`,
    `patch events.events.k8s.io ${namespace}/shop.1`,
    `list secrets ${namespace}${secret}`,
    `watch secrets ${namespace}${secret}`,
  ];
}

const ALWAYS: readonly Request[] = [
  `list ingressclasses.${NETWORKING}`,
  `watch ingressclasses.${NETWORKING}`,
  "list tlsprofiles.evener.io",
  "watch tlsprofiles.evener.io",
  "patch tlsprofiles/status.evener.io /strict",
  "create leases.coordination.k8s.io ingress",
  "get leases.coordination.k8s.io ingress/evener-leader",
  "update leases.coordination.k8s.io ingress/evener-leader",
  "list services ingress/evener",
];

const NEVER: readonly Request[] = [
  `update ingresses.${NETWORKING} shop/shop`,
  `patch ingresses.${NETWORKING} shop/shop`,
  `delete ingresses.${NETWORKING} shop/shop`,
  `update ingressclasses.${NETWORKING} /evener`,
  "create secrets shop",
  "patch secrets shop/shop-tls",
  "get configmaps shop/any",
  "patch backendpolicies.evener.io shop/any",
  "update tlsprofiles.evener.io /strict",
  "list pods shop",
  "list nodes",
  "list namespaces",
  "create pods shop",
  "create pods/exec shop/any",
  "create serviceaccounts/token ingress/evener",
  "get leases.coordination.k8s.io ingress/other",
  "update leases.coordination.k8s.io ingress/other",
  "create leases.coordination.k8s.io shop",
  "delete events.events.k8s.io shop/any",
  "escalate clusterroles.rbac.authorization.k8s.io",
  "impersonate users",
];

interface Case {
  readonly name: string;
  readonly values: Values;
  readonly allowed: readonly Request[];
  readonly denied: readonly Request[];
}

const CASES: readonly Case[] = [
  {
    name: "the whole cluster",
    values: {},
    allowed: [...ALWAYS, ...listNeeds("shop"), ...listNeeds("")],
    denied: ["get secrets shop/shop-tls"],
  },
  {
    name: "namespaces",
    values: VALUE_SETS["other namespaces"] ?? {},
    allowed: [
      ...ALWAYS.filter((request) => !request.includes("ingress/evener") || request.includes("leases")),
      ...listNeeds("shop"),
      ...listNeeds("blog"),
      "list secrets certificates/wildcard",
      "watch secrets certificates/wildcard",
      "list services network/front",
      "watch services network/front",
    ],
    denied: [
      ...listNeeds("other"),
      ...listNeeds(""),
      "list secrets certificates",
      "list secrets certificates/other",
      "list services network",
      "list services ingress/evener",
    ],
  },
  {
    name: "Secrets by name",
    values: VALUE_SETS["Secrets by name"] ?? {},
    allowed: [
      ...ALWAYS,
      ...listNeeds("shop", "/shop-tls"),
      "list secrets blog/blog-tls",
      "watch secrets blog/blog.example",
      "list secrets ingress/wildcard",
    ],
    denied: ["list secrets shop", "list secrets", "list secrets shop/other", "get secrets shop/shop-tls"],
  },
];

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start();
  await cluster.addNamespaces("ingress", "shop", "blog", "network", "certificates");
});

after(() => cluster?.stop());

for (const { name, values, allowed, denied } of CASES) {
  test(name, async () => {
    const { serviceAccounts, roles, bindings } = await renderRbac(values);
    const objects = [...serviceAccounts, ...roles, ...bindings] as readonly Manifest[];
    await cluster.admin.apply(...objects);
    // The authorizer learns of roles and bindings by a watch, so each answer is waited for.
    const wrong: string[] = [];
    for (const request of allowed) if (!(await becomes(request, true))) wrong.push(`denied: ${request}`);
    for (const request of [...denied, ...NEVER]) {
      if (!(await becomes(request, false))) wrong.push(`allowed: ${request}`);
    }
    await cluster.admin.delete(...objects);
    assert.deepEqual(wrong, []);
  });
}

async function isAllowed(request: Request): Promise<boolean> {
  const [verb = "", what = "", where = ""] = request.split(" ");
  const [path = "", ...group] = what.split(".");
  const [resource, subresource = ""] = path.split("/");
  const [namespace = "", name = ""] = where.split("/");
  const { json } = await cluster.admin.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: "system:serviceaccount:ingress:evener",
      groups: ["system:serviceaccounts", "system:serviceaccounts:ingress", "system:authenticated"],
      resourceAttributes: { verb, group: group.join("."), resource, subresource, namespace, name },
    },
  });
  return (json as Any).status.allowed === true;
}

async function becomes(request: Request, wanted: boolean): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    if ((await isAllowed(request)) === wanted) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
