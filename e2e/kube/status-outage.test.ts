// SPDX-License-Identifier: Apache-2.0
/** The API server goes away and comes back: clients notice nothing, and what there is to tell is told afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { ingressClass, makeIngress, makeSecret } from "../lib/manifests.ts";
import { addReplicaUser, isLeader, makePods, startPod, startReplica } from "../lib/replica.ts";
import { readAddress } from "../lib/reports.ts";
import { ServiceClient } from "../lib/service-client.ts";
import { Cluster } from "./lib/cluster.ts";

test("an outage of the API server costs no request, and statuses catch up after it", async (t) => {
  const cluster = await Cluster.start(t);
  const backend = await startPod(t, "a");
  const pair = await makeKeyPair(["a.example"]);
  const site = [...makePods("a", [backend.port]), makeSecret("a-tls", pair), makeIngress("a", "a.example")];
  await cluster.admin.apply(ingressClass, ...site);
  const user = await addReplicaUser(cluster, "evener-outage");
  const evener = await startReplica(t, user, ["--publish-status-address", "192.0.2.1"]);
  await eventually("the status", async () => (await readAddress(cluster, "a")) === "192.0.2.1");

  const client = new ServiceClient();
  client.add(evener);
  client.start({ host: "a.example", lasting: 4, single: 2, requests: 20 });
  await eventually("traffic", () => client.total > 20);
  await cluster.stopApiServer("SIGKILL");
  // Longer than a leader may go without renewing.
  await eventually("nobody leads", async () => !(await isLeader(evener)), 30_000);
  await sleep(3000);
  assert.equal(await evener.isReady(), true);
  assert.equal((await evener.get("/healthz")).status, 200);
  const during = client.total;

  await cluster.startApiServer();
  await cluster.admin.apply(makeIngress("late", "late.example", { service: "a", secret: "a-tls" }));
  await eventually("leading again", () => isLeader(evener), 60_000);
  await eventually(
    "the new status",
    async () => (await readAddress(cluster, "late")) === "192.0.2.1",
    60_000,
  );
  await client.stop();
  t.diagnostic(`${client.total} requests, ${during} of them before the end of the outage`);
  assert.deepEqual(client.failures, []);

  // Who ends while the API server is away can't hand anything over, and does not wait for it.
  await cluster.stopApiServer("SIGKILL");
  const asked = Date.now();
  assert.equal(await evener.stop(), 0);
  assert.ok(Date.now() - asked < 15_000, `${Date.now() - asked} ms`);
});
