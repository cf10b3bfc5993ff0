// SPDX-License-Identifier: Apache-2.0
/** Replicas are replaced one after the other while clients go on asking: nobody notices. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { startBackend } from "../lib/backend.ts";
import { curl } from "../lib/client.ts";
import { Evener } from "../lib/evener.ts";
import { ingressClass, type Manifest, makeIngress, makeSecret, makeSite } from "../lib/manifests.ts";
import { addReplicaUser, isLeader, makePods, startPod, startReplica } from "../lib/replica.ts";
import { readAddress } from "../lib/reports.ts";
import { ServiceClient } from "../lib/service-client.ts";
import { Cluster } from "./lib/cluster.ts";

/** Hosts without TLS, which the plain port serves; a host with TLS is led over to https there. */
const anyHost: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "any", namespace: "default" },
  spec: {
    ingressClassName: "evener",
    rules: [
      {
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } },
          ],
        },
      },
    ],
  },
};

async function openSite(t: TestContext) {
  const backends = [await startBackend(t, "a"), await startBackend(t, "a")];
  const pair = await makeKeyPair(["a.example"]);
  const ports = backends.map(({ port }) => port);
  const site = { a: [...makeSite("a", ports), anyHost], tls: [makeSecret("a-tls", pair)] };
  const args = ["--shutdown-delay", "3s", "--shutdown-grace-period", "20s", "--workers", "1"];
  return () => Evener.start(t, site, { args });
}

/** Replaces two replicas, one after the other, under load on both ports. */
async function rollOver(t: TestContext, start: () => Promise<Evener>): Promise<readonly Evener[]> {
  const client = new ServiceClient();
  const before = [await start(), await start()];
  const after: Evener[] = [];
  for (const replica of before) client.add(replica);
  client.start({ host: "a.example", plainHost: "plain.example", lasting: 12, single: 4, requests: 40 });
  await eventually("both replicas serve", () => client.answered.size === 2);

  for (const old of before) {
    assert.equal(await old.stop(), 0);
    const young = await start();
    after.push(young);
    client.add(young);
    await eventually("the new one serves", () => (client.answered.get(young.healthPort) ?? 0) > 20);
  }
  await sleep(500);
  await client.stop();
  t.diagnostic(`${client.total} requests, ${client.failures.length} failed`);
  assert.deepEqual(client.failures, []);
  assert.equal(client.answered.size, 4);
  return after;
}

test("a rolling restart of two replicas under load loses no request", async (t) => {
  await rollOver(t, await openSite(t));
});

test("so does one in a cluster, where one of them leads all the time and the statuses stay", async (t) => {
  const cluster = await Cluster.start(t);
  const backend = await startPod(t, "a");
  const pair = await makeKeyPair(["a.example"]);
  const site = [...makePods("a", [backend.port]), makeSecret("a-tls", pair), makeIngress("a", "a.example")];
  await cluster.admin.apply(ingressClass, ...site, anyHost);
  const user = await addReplicaUser(cluster, "evener-rolling");
  const args = [
    "--publish-status-address",
    "192.0.2.1",
    "--shutdown-delay",
    "1s",
    "--shutdown-grace-period",
    "20s",
  ];
  const after = await rollOver(t, () => startReplica(t, user, args));
  const leaders = await Promise.all(after.map(isLeader));
  assert.equal(leaders.filter(Boolean).length, 1);
  assert.equal(await readAddress(cluster, "a"), "192.0.2.1");
  // Nobody was ever left to think that it is the last.
  const cleared = (await cluster.audit(user.name)).filter(({ requestURI }) => requestURI.includes("/status"));
  assert.equal(cleared.length, 2, "one write for each of the two Ingresses");
});

test("until the delay is over a replica that ends takes new connections, and follows changes", async (t) => {
  const backends = [await startBackend(t, "old"), await startBackend(t, "new")];
  const pair = await makeKeyPair(["a.example"]);
  const [before, after] = backends.map(({ port }) => makeSite("a", [port]));
  const site = { a: before ?? [], tls: [makeSecret("a-tls", pair)] };
  const args = ["--shutdown-delay", "4s", "--shutdown-grace-period", "20s"];
  const evener = await Evener.start(t, site, { args });
  evener.kill("SIGTERM");
  await eventually("not ready", async () => (await evener.get("/readyz")).text.includes("shutting down"));
  const reloads = evener.countReloads("balance");
  await evener.put("a", after ?? []);
  await eventually("the change is live", () => evener.countReloads("balance") > reloads);
  assert.equal(await curl("a.example", evener.httpsPort), "new");
  assert.equal(await evener.waitExit(), 0);
});
