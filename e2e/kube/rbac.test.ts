// SPDX-License-Identifier: Apache-2.0
/** Evener does its work with exactly the rules in rbac/, and never asks for more: the audit log has no denial. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { type KeyPair, makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import type { Backend } from "../lib/backend.ts";
import { curl } from "../lib/client.ts";
import type { Evener } from "../lib/evener.ts";
import { ingressClass, type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { findPodAddress, startPod, startReplica } from "../lib/replica.ts";
import { readAddress } from "../lib/reports.ts";
import { listDenied } from "./lib/audit.ts";
import { Cluster } from "./lib/cluster.ts";

const HOST = "web.example";
let cluster: Cluster;
let pairs: readonly KeyPair[];

before(async () => {
  cluster = await Cluster.start();
  await cluster.addNamespaces("shop", "blog", "other", "ingress");
  await cluster.admin.apply(ingressClass, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "evener", namespace: "ingress" },
    spec: { externalIPs: ["192.0.2.7"], ports: [{ port: 443 }] },
  });
  pairs = await Promise.all([makeKeyPair([HOST]), makeKeyPair([HOST])]);
});
after(() => cluster.stop());

function makeWeb(namespace: string, backend: Backend, secret: string): Manifest[] {
  const metadata = { name: "web", namespace };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: backend.port }],
      endpoints: [{ addresses: [findPodAddress()] }],
    },
    makeIngress("web", HOST, { namespace, secret }),
  ];
}

/** Applies rbac/FILE and starts Evener as its user. */
async function startWithRules(t: TestContext, file: string, user: string, args: readonly string[]) {
  const documents = parseAllDocuments(await readFile(join(import.meta.dirname, "rbac", file), "utf8"));
  await cluster.admin.apply(...documents.map((document) => document.toJS() as Manifest));
  return startReplica(t, await cluster.addUser(user), args);
}

/** Everything that Evener does with an Ingress, once. */
async function exercise(t: TestContext, evener: Evener, namespace: string, published: string): Promise<void> {
  const { admin } = cluster;
  const [first, second] = pairs;
  assert.ok(first !== undefined && second !== undefined);
  const [one, two] = [await startPod(t, "one"), await startPod(t, "two")];
  const objects = makeWeb(namespace, one, "web-tls");
  await admin.apply(makeSecret("web-tls", first, namespace), ...objects);
  t.after(() => admin.delete(...objects, makeSecret("web-tls", first, namespace)));
  const serves = (name: string, { cert }: KeyPair) =>
    eventually(`${name} is served`, async () => (await curlWith(evener, cert)) === name, 30_000);
  await serves("one", first);
  await admin.apply(...makeWeb(namespace, two, "web-tls"));
  await serves("two", first);
  await admin.apply(makeSecret("web-tls", second, namespace));
  await serves("two", second);
  await admin.apply(makeSecret("next-tls", first, namespace), ...makeWeb(namespace, two, "next-tls"));
  await serves("two", first);
  await eventually("the status", async () => (await readAddress(cluster, "web", namespace)) === published);
}

/** The CA is the certificate itself. */
async function curlWith(evener: Evener, cert: string): Promise<string> {
  const file = join(cluster.dir, "ca-of-host.pem");
  await writeFile(file, cert);
  return curl(HOST, evener.httpsPort, file);
}

async function assertNothingDenied(user: string): Promise<void> {
  const events = await cluster.audit(user);
  assert.ok(events.length > 5, "the audit log knows the user");
  assert.deepEqual(listDenied(events), []);
}

describe("with exactly the rights it needs", () => {
  test("for the whole cluster", async (t) => {
    const evener = await startWithRules(t, "cluster.yaml", "evener-cluster", [
      ...["--publish-status-address", "192.0.2.1"],
    ]);
    await exercise(t, evener, "other", "192.0.2.1");
    await evener.stop();
    await assertNothingDenied("evener-cluster");
  });

  test("for some namespaces", async (t) => {
    const evener = await startWithRules(t, "namespaced.yaml", "evener-namespaced", [
      ...["--watch-namespace", "shop", "--watch-namespace", "blog", "--publish-service", "ingress/evener"],
    ]);
    const stray = await startPod(t, "stray");
    const outside = makeWeb("other", stray, "web-tls");
    await cluster.admin.apply(...outside);
    await exercise(t, evener, "shop", "192.0.2.7");
    assert.equal(stray.accepted(), 0);
    await cluster.admin.delete(...outside);
    await evener.stop();
    await assertNothingDenied("evener-namespaced");
  });

  test("for Secrets by their names", async (t) => {
    const evener = await startWithRules(t, "secrets-named.yaml", "evener-named", [
      ...["--secrets", "named", "--publish-status-address", "192.0.2.1"],
    ]);
    await exercise(t, evener, "shop", "192.0.2.1");
    await evener.stop();
    await assertNothingDenied("evener-named");
    const events = await cluster.audit("evener-named");
    const asked = events.filter(({ requestURI }) => requestURI.includes("/secrets"));
    assert.ok(asked.every(({ requestURI }) => requestURI.includes("fieldSelector=metadata.name")));
  });

  test("a Secret that may not be read is a problem of its own, and blocks nothing", async (t) => {
    const evener = await startWithRules(t, "secrets-named.yaml", "evener-named", [
      ...["--secrets", "named", "--publish-status-address", "192.0.2.1"],
    ]);
    const hidden = makeIngress("hidden", "hidden.example", { namespace: "blog", secret: "hidden-tls" });
    await cluster.admin.apply(hidden);
    t.after(() => cluster.admin.delete(hidden));
    const found = await evener.waitLog("the problem", ({ reason }) => reason === "ReadForbidden");
    assert.equal(found.object, "Secret blog/hidden-tls");
    await exercise(t, evener, "shop", "192.0.2.1");
  });
});
