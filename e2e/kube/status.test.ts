// SPDX-License-Identifier: Apache-2.0
/** Statuses and Events, by a replica that may do no more than it needs. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { curl } from "../lib/client.ts";
import { ingressClass, type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { addReplicaUser, isLeader, makePods, startPod, startReplica } from "../lib/replica.ts";
import { listEvents, readAddress, readIngress, writeStatus } from "../lib/reports.ts";
import { listDenied } from "./lib/audit.ts";
import { Cluster } from "./lib/cluster.ts";

const INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const publish: Manifest = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "evener", namespace: "ingress" },
  spec: { type: "LoadBalancer", ports: [{ name: "https", port: 443 }] },
};
const PUBLISH_PATH = "/api/v1/namespaces/ingress/services/evener";

function ofClass(manifest: Manifest, ingressClassName: string): Manifest {
  return { ...manifest, spec: { ...(manifest.spec as Manifest), ingressClassName } };
}

describe("a replica in a cluster", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start();
    await cluster.addNamespaces("ingress");
    const otherClass = {
      ...ingressClass,
      metadata: { name: "other" },
      spec: { controller: "other.example/x" },
    };
    await cluster.admin.apply(ingressClass, otherClass, publish);
  });
  after(() => cluster.stop());

  test("writes statuses and Events of its own Ingresses, follows its Service, and clears up at the end", async (t) => {
    const backend = await startPod(t, "a");
    const pair = await makeKeyPair(["a.example"]);
    await writeStatus(cluster, PUBLISH_PATH, "192.0.2.1");
    await cluster.admin.apply(
      ...makePods("a", [backend.port]),
      makeSecret("a-tls", pair),
      makeIngress("a", "a.example"),
      makeIngress("broken", "broken.example", { service: "nowhere" }),
      ofClass(makeIngress("foreign", "foreign.example", { service: "nowhere" }), "other"),
      ofClass(makeIngress("foreign-bare", "bare.example", { service: "nowhere" }), "other"),
    );
    await writeStatus(cluster, `${INGRESSES}/foreign`, "198.51.100.7");
    const foreign = await readIngress(cluster, "foreign");
    const bare = await readIngress(cluster, "foreign-bare");

    const user = await addReplicaUser(cluster, "evener-status");
    const evener = await startReplica(t, user, ["--publish-service", "ingress/evener"]);
    assert.equal(await curl("a.example", evener.httpsPort), "a");
    await eventually("the status", async () => (await readAddress(cluster, "a")) === "192.0.2.1");
    await eventually("the other's", async () => (await readAddress(cluster, "broken")) === "192.0.2.1");

    const [synced] = await eventually("the Event", async () => {
      const events = await listEvents(cluster, "Ingress", "a");
      return events.length > 0 && events;
    });
    assert.deepEqual(
      [synced?.type, synced?.reason, synced?.note, synced?.reportingController],
      ["Normal", "Synced", "serving a.example", "evener.io/ingress-controller"],
    );
    const problems = await eventually("the problem's Events", async () => {
      const events = await listEvents(cluster, "Ingress", "broken");
      return events.length >= 2 && events;
    });
    assert.ok(problems.every(({ type }) => type === "Warning"));
    assert.deepEqual([...new Set(problems.map(({ reason }) => reason))].sort(), [
      "SecretNotFound",
      "ServiceNotFound",
    ]);

    // The address of the Service changes, and somebody writes nonsense into one of the statuses.
    await writeStatus(cluster, PUBLISH_PATH, "192.0.2.2");
    await eventually("the new status", async () => (await readAddress(cluster, "a")) === "192.0.2.2");
    await writeStatus(cluster, `${INGRESSES}/a`, "203.0.113.9");
    await eventually("ours again", async () => (await readAddress(cluster, "a")) === "192.0.2.2");

    assert.equal(await isLeader(evener), true);
    assert.equal(await evener.stop(), 0);
    assert.equal(await readAddress(cluster, "a"), "");
    assert.equal(await readAddress(cluster, "broken"), "");

    // Of the other class: as it was, and nothing said about it.
    assert.deepEqual(await readIngress(cluster, "foreign"), foreign);
    assert.deepEqual(await readIngress(cluster, "foreign-bare"), bare);
    for (const name of ["foreign", "foreign-bare"]) {
      assert.deepEqual(await listEvents(cluster, "Ingress", name), []);
    }
    assert.deepEqual(listDenied(await cluster.audit(user.name)), []);
  });

  test("tells of an object once: a restart finds its Events and statuses in place", async (t) => {
    const user = await addReplicaUser(cluster, "evener-again");
    const args = ["--publish-status-address", "lb.example", "--update-status-on-shutdown=false"];
    const first = await startReplica(t, user, args);
    await eventually("the status", async () => (await readAddress(cluster, "a")) === "lb.example");
    const before = await listEvents(cluster, "Ingress", "a");
    assert.equal(await first.stop(), 0);
    assert.equal(await readAddress(cluster, "a"), "lb.example");
    const version = (await readIngress(cluster, "a")).metadata.resourceVersion;

    const second = await startReplica(t, user, args);
    const isCounted = async () =>
      (await listEvents(cluster, "Ingress", "broken")).some(({ series }) => series);
    await eventually("a problem is told again as one of a series", isCounted, 30_000);
    assert.equal((await readIngress(cluster, "a")).metadata.resourceVersion, version);
    assert.deepEqual(await listEvents(cluster, "Ingress", "a"), before);
    assert.equal(await second.stop(), 0);
  });
});
