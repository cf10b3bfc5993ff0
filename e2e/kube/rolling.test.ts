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
import { type Manifest, makeSecret, makeSite } from "../lib/manifests.ts";
import { ServiceClient } from "../lib/service-client.ts";

/** What the plain port serves while it can't read requests: one route for all. */
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
  const args = ["--shutdown-delay", "1s", "--shutdown-grace-period", "20s", "--workers", "1"];
  return () => Evener.start(t, site, { args });
}

test("a rolling restart of two replicas under load loses no request", async (t) => {
  const startReplica = await openSite(t);
  const client = new ServiceClient();
  let replicas = [await startReplica(), await startReplica()];
  for (const replica of replicas) client.add(replica);
  client.start({ host: "a.example", lasting: 12, single: 4, requests: 40 });
  await eventually("both replicas serve", () => client.answered.size === 2);

  for (const old of replicas) {
    assert.equal(await old.stop(), 0);
    const young = await startReplica();
    client.add(young);
    replicas = [...replicas.filter((one) => one !== old), young];
    await eventually("the new one serves", () => (client.answered.get(young.healthPort) ?? 0) > 20);
  }
  await sleep(500);
  await client.stop();
  t.diagnostic(`${client.total} requests, ${client.failures.length} failed`);
  assert.deepEqual(client.failures, []);
  assert.equal(client.answered.size, 4);
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
