// SPDX-License-Identifier: Apache-2.0
/** Two replicas: one writes, and the other takes over when it ends, in order or not. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../test/fixtures/eventually.ts";
import { ingressClass, makeIngress } from "../lib/manifests.ts";
import { addReplicaUser, isLeader, killReplica, startReplica } from "../lib/replica.ts";
import { listEvents, readAddress } from "../lib/reports.ts";
import type { AuditEvent } from "./lib/audit.ts";
import { Cluster } from "./lib/cluster.ts";

const ARGS = ["--publish-status-address", "192.0.2.1"];
const LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/evener-leader";

function listWrites(events: readonly AuditEvent[]): string[] {
  return events
    .filter(
      ({ verb, requestURI }) =>
        ["create", "patch", "update"].includes(verb) && !requestURI.includes("/leases"),
    )
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
}

describe("two replicas", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start();
    await cluster.admin.apply(ingressClass);
  });
  after(() => cluster.stop());

  async function startTwo(t: Parameters<typeof startReplica>[0], names: readonly [string, string]) {
    const users = [await addReplicaUser(cluster, names[0]), await addReplicaUser(cluster, names[1])] as const;
    const first = await startReplica(t, users[0], ARGS);
    await eventually("the first leads", () => isLeader(first));
    const second = await startReplica(t, users[1], ARGS);
    return { first, second, users };
  }

  test("have one leader, who alone writes; it ends in order: the other leads at once, and statuses stay", async (t) => {
    const { first, second, users } = await startTwo(t, ["orderly-1", "orderly-2"]);
    await cluster.admin.apply(makeIngress("a", "a.example"));
    await eventually("the status", async () => (await readAddress(cluster, "a")) === "192.0.2.1");
    await eventually("the Events", async () => (await listEvents(cluster, "Ingress", "a")).length > 0);
    assert.deepEqual([await isLeader(first), await isLeader(second)], [true, false]);
    assert.deepEqual(listWrites(await cluster.audit(users[1].name)), []);

    assert.equal(await first.stop(), 0);
    await eventually("the other leads", () => isLeader(second), 5000);
    assert.equal(await readAddress(cluster, "a"), "192.0.2.1");
    assert.equal(await second.stop(), 0);
    assert.equal(await readAddress(cluster, "a"), "");
    const { json } = await cluster.admin.call("GET", LEASE);
    assert.equal((json as { spec?: { holderIdentity?: string } }).spec?.holderIdentity ?? "", "");
  });

  test("hand over within 20 seconds when the leader is killed, and what came in between is told", async (t) => {
    const { first, second } = await startTwo(t, ["killed-1", "killed-2"]);
    await sleep(3000);
    await killReplica(first);
    const died = Date.now();
    await cluster.admin.apply(makeIngress("b", "b.example"));
    await eventually("the other leads", () => isLeader(second), 20_000);
    t.diagnostic(`hand-over after ${Date.now() - died} ms`);
    await eventually("the status", async () => (await readAddress(cluster, "b")) === "192.0.2.1");
    await eventually("the Events", async () => (await listEvents(cluster, "Ingress", "b")).length > 0);
  });
});
