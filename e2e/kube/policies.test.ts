// SPDX-License-Identifier: Apache-2.0
/** Our custom resources in a cluster: Evener serves before their definitions are there, follows them when they come, and says what became of them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { curl, curlStatus } from "../lib/client.ts";
import { type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { addReplicaUser, makePods, startPod, startReplica } from "../lib/replica.ts";
import { listEvents } from "../lib/reports.ts";
import { Cluster } from "./lib/cluster.ts";
import { installDefinitions } from "./lib/definitions.ts";

const HOST = "web.example";
const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start();
});
after(() => cluster?.stop());

const profile: Manifest = {
  apiVersion: "evener.io/v1alpha1",
  kind: "TLSProfile",
  metadata: { name: "strict" },
  spec: { hsts: { maxAgeSeconds: 3600 } },
};

function makePolicy(mode: "required" | "optional"): Manifest {
  return {
    apiVersion: "evener.io/v1alpha1",
    kind: "ClientCertificatePolicy",
    metadata: { name: "clients", namespace: "default" },
    spec: { targetRefs: [{ name: "web" }], ca: { configMap: { name: "ca" } }, mode },
  };
}

async function readConditions(manifest: Manifest): Promise<Record<string, string>> {
  const object = (await cluster.admin.get(manifest)) as {
    status?: { conditions?: { type: string; status: string; reason: string; observedGeneration: number }[] };
  };
  const conditions = object.status?.conditions ?? [];
  return Object.fromEntries(
    conditions.map(({ type, status, reason, observedGeneration }) => [
      type,
      `${status} ${reason} ${observedGeneration}`,
    ]),
  );
}

test("definitions that come later, a policy, a profile, and their conditions", async (t) => {
  const pod = await startPod(t, "web");
  const pair = await makeKeyPair([HOST]);
  await cluster.admin.apply(
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "evener" },
      spec: {
        controller: "evener.io/ingress-controller",
        parameters: { apiGroup: "evener.io", kind: "TLSProfile", name: "strict" },
      },
    },
    ...makePods("web", [pod.port]),
    makeSecret("web-tls", pair),
    makeIngress("web", HOST),
  );
  const replica = await startReplica(t, await addReplicaUser(cluster, "policies"), []);
  await eventually("it is served", async () => (await curl(HOST, replica.httpsPort)) === "web", 30_000);
  const { text } = await replica.get("/debug/config");
  assert.match(text, /TLSProfileNotFound/);
  assert.doesNotMatch(text, /WatchFailing|ReadForbidden/);

  await installDefinitions(cluster);
  await cluster.admin.apply(profile, makePolicy("required"));
  // The CA is not there yet: nobody is let in.
  await eventually(
    "the policy is found, and closes the host",
    async () => {
      const { Accepted } = await readConditions(makePolicy("required"));
      return Accepted === "False CaNotFound 1" && (await curl(HOST, replica.httpsPort)) !== "web";
    },
    90_000,
  );
  assert.ok((await listEvents(cluster, "ClientCertificatePolicy", "clients")).length > 0);

  const ca = await readFile(cluster.caFile, "utf8");
  await cluster.admin.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "ca", namespace: "default" },
    data: { "ca.crt": ca },
  });
  await eventually(
    "all of it holds",
    async () => {
      const { Programmed } = await readConditions(makePolicy("required"));
      return Programmed === "True Programmed 1" && (await curlStatus(HOST, replica.httpsPort)) !== 0;
    },
    30_000,
  );
  // Each definition is found in its own time.
  await eventually(
    "the profile holds",
    async () => (await readConditions(profile)).Programmed === "True Programmed 1",
    60_000,
  );
  const { Accepted, Conflicted } = await readConditions(profile);
  assert.deepEqual([Accepted, Conflicted], ["True Accepted 1", "False NoConflict 1"]);
  assert.match((await replica.get("/debug/config")).text, /hsts=max-age=3600/);

  const backends: Manifest = {
    apiVersion: "evener.io/v1alpha1",
    kind: "BackendPolicy",
    metadata: { name: "spread", namespace: "default" },
    spec: { targetRefs: [{ name: "web" }], loadBalancing: { strategy: "least-connections" } },
  };
  await cluster.admin.apply(backends);
  await eventually(
    "the pool is spread otherwise",
    async () => (await readConditions(backends)).Programmed === "True Programmed 1",
    60_000,
  );
  assert.match(await replica.readRunFile("balance.conf"), /^pool default\/web:80 .*lb=leastconn/m);

  await cluster.admin.apply(makePolicy("optional"));
  await eventually(
    "who has no certificate is let in again",
    async () => {
      const { Programmed } = await readConditions(makePolicy("optional"));
      return (
        Programmed === "True Programmed 2" && (await curl(HOST, replica.httpsPort).catch(() => "")) === "web"
      );
    },
    30_000,
  );

  const user = await cluster.addPowerfulUser("linter");
  const args = [MAIN, "lint", "--kube", "--kubeconfig", user.kubeconfig];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.match(stdout, /^Ingress default\/web \(class evener\): served$/m);
  assert.match(stdout, /client certificate optional/);
  assert.match(stdout, /^TLSProfile strict: in effect$/m);
  const written = (await cluster.audit("linter")).filter(({ verb }) => verb !== "list");
  assert.deepEqual(written, [], "lint reads, and nothing else");
});
