// SPDX-License-Identifier: Apache-2.0
/** Create, change and delete each kind through a real API server, and look at what clients get. */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { fingerprintLeaf } from "../../src/apply/fingerprint.ts";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { curl, httpStatus, servedFingerprint } from "../lib/client.ts";
import type { Evener } from "../lib/evener.ts";
import { ingressClass, type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { findPodAddress, makePods, startPod, startReplica } from "../lib/replica.ts";
import { Cluster } from "./lib/cluster.ts";

const WAIT_MS = 30_000;

describe("what is written to the API server reaches the data plane", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start();
    await cluster.admin.apply(ingressClass);
  });
  after(() => cluster.stop());

  async function start(t: TestContext, args: readonly string[] = []): Promise<Evener> {
    const name = `source-${t.name.replaceAll(/[^a-z]+/g, "-")}`.slice(0, 50);
    return startReplica(t, await cluster.addPowerfulUser(name), args);
  }

  /** Applies, and deletes when the test is over. */
  async function have(t: TestContext, ...manifests: readonly Manifest[]): Promise<void> {
    await cluster.admin.apply(...manifests);
    t.after(() => cluster.admin.delete(...manifests));
  }

  const gets = (evener: Evener, host: string, body: string) =>
    eventually(
      `${host} is served by ${body}`,
      async () => (await curl(host, evener.httpsPort)) === body,
      WAIT_MS,
    );
  const getsStatus = (evener: Evener, host: string, status: number) =>
    eventually(
      `${host} gets ${status}`,
      async () => (await httpStatus(host, evener.httpsPort)) === status,
      WAIT_MS,
    );
  /** No Ingress has the host. */
  const isUnknown = (evener: Evener, host: string) => getsStatus(evener, host, 404);
  /** An Ingress has the host, but there is no pod for it. */
  const isUnserved = (evener: Evener, host: string) => getsStatus(evener, host, 503);

  test("an Ingress", async (t) => {
    const evener = await start(t);
    const [a, b] = [await startPod(t, "a"), await startPod(t, "b")];
    await have(t, ...makePods("a", [a.port]), ...makePods("b", [b.port]));
    await isUnknown(evener, "web.example");
    const ingress = makeIngress("web", "web.example", { service: "a" });
    await have(t, ingress);
    await gets(evener, "web.example", "a");
    await cluster.admin.apply(makeIngress("web", "web.example", { service: "b" }));
    await gets(evener, "web.example", "b");
    await cluster.admin.apply(makeIngress("web", "moved.example", { service: "b" }));
    await gets(evener, "moved.example", "b");
    await isUnknown(evener, "web.example");
    await cluster.admin.delete(ingress);
    await isUnknown(evener, "moved.example");
  });

  test("a Service", async (t) => {
    const evener = await start(t);
    const [pod] = [await startPod(t, "svc")];
    const [service = {}, ...slices] = makePods("svc", [pod.port]);
    await have(t, ...slices, makeIngress("svc", "svc.example", { service: "svc" }));
    await isUnserved(evener, "svc.example");
    await have(t, service);
    await gets(evener, "svc.example", "svc");
    await cluster.admin.apply({ ...service, spec: { ports: [{ name: "other", port: 81 }] } });
    await isUnserved(evener, "svc.example");
    await cluster.admin.apply({ ...service, spec: { ports: [{ name: "http", port: 80 }] } });
    await gets(evener, "svc.example", "svc");
    await cluster.admin.delete(service);
    await isUnserved(evener, "svc.example");
  });

  test("an EndpointSlice", async (t) => {
    const evener = await start(t);
    const [a, b] = [await startPod(t, "a"), await startPod(t, "b")];
    const [service = {}, slice = {}] = makePods("eps", [a.port]);
    await have(t, service, makeIngress("eps", "eps.example", { service: "eps" }));
    await isUnserved(evener, "eps.example");
    await have(t, slice);
    await gets(evener, "eps.example", "a");
    await cluster.admin.apply({ ...slice, ports: [{ name: "http", port: b.port }] });
    await gets(evener, "eps.example", "b");
    const leaving = [{ addresses: [findPodAddress()], conditions: { ready: false } }];
    await cluster.admin.apply({ ...slice, endpoints: leaving });
    await isUnserved(evener, "eps.example");
    await cluster.admin.apply(slice);
    await gets(evener, "eps.example", "a");
    await cluster.admin.delete(slice);
    await isUnserved(evener, "eps.example");
  });

  test("a Secret", async (t) => {
    const evener = await start(t);
    const pod = await startPod(t, "tls");
    await have(t, ...makePods("tls", [pod.port]), makeIngress("tls", "tls.example", { service: "tls" }));
    await gets(evener, "tls.example", "tls");
    const fallback = await servedFingerprint("tls.example", evener.httpsPort);
    const shows = (cert: string, what: string) =>
      eventually(
        what,
        async () => (await servedFingerprint("tls.example", evener.httpsPort)) === cert,
        WAIT_MS,
      );
    const [one, two] = [await makeKeyPair(["tls.example"]), await makeKeyPair(["tls.example"])];
    await have(t, makeSecret("tls-tls", one));
    await shows(fingerprintLeaf(one.cert), "the first certificate");
    await cluster.admin.apply(makeSecret("tls-tls", two));
    await shows(fingerprintLeaf(two.cert), "the second certificate");
    await cluster.admin.delete(makeSecret("tls-tls", two));
    await shows(fallback, "the default certificate again");
  });

  test("an IngressClass; other classes are not ours", async (t) => {
    const evener = await start(t);
    const pod = await startPod(t, "cls");
    const ingress = makeIngress("cls", "cls.example", { service: "cls" });
    const spec = { ...(ingress.spec as Manifest), ingressClassName: "second" };
    await have(t, ...makePods("cls", [pod.port]), { ...ingress, spec });
    const makeClass = (controller: string): Manifest => ({
      ...ingressClass,
      metadata: { name: "second" },
      spec: { controller },
    });
    await isUnknown(evener, "cls.example");
    const before = await cluster.admin.get(ingress);
    await have(t, makeClass("evener.io/ingress-controller"));
    await gets(evener, "cls.example", "cls");
    await cluster.admin.delete(makeClass(""));
    await isUnknown(evener, "cls.example");
    await cluster.admin.apply(makeClass("someone.example/else"));
    await isUnknown(evener, "cls.example");
    assert.deepEqual((await cluster.admin.get(ingress))?.status, before?.status);
  });

  test("Secrets by name: an Ingress that comes to name another one is never without", async (t) => {
    const evener = await start(t, ["--secrets", "named", "--reload-interval", "0s"]);
    const pod = await startPod(t, "named");
    const pair = await makeKeyPair(["named.example"]);
    const ingress = (secret: string) => makeIngress("named", "named.example", { service: "named", secret });
    const secrets = Array.from({ length: 5 }, (_, i) => makeSecret(`named-${i}`, pair));
    await have(t, ...makePods("named", [pod.port]), ...secrets, ingress("named-0"));
    await evener.waitLog("the certificate is live", ({ reason }) => reason === "certificates");
    const reloads = evener.countReloads("hitch");
    for (const [i] of secrets.entries()) {
      await cluster.admin.apply(ingress(`named-${i}`));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    // The certificate is the same in all of them: had one been missing for a moment, Hitch would have been told.
    assert.equal(evener.countReloads("hitch"), reloads);
    assert.ok(!evener.log.some(({ reason }) => reason === "SecretNotFound"));
  });
});

test("an hour without the API server, in short: traffic goes on, and later changes are picked up", async (t) => {
  const cluster = await Cluster.start(t);
  const [a, b] = [await startPod(t, "a"), await startPod(t, "b")];
  const [service = {}, slice = {}] = makePods("out", [a.port]);
  await cluster.admin.apply(
    ingressClass,
    service,
    slice,
    makeIngress("out", "out.example", { service: "out" }),
  );
  const evener = await startReplica(t, await cluster.addPowerfulUser("outage"), []);
  const isServedBy = async (body: string) => (await curl("out.example", evener.httpsPort)) === body;
  await eventually("served", () => isServedBy("a"), WAIT_MS);
  await cluster.stopApiServer();
  await evener.waitLog("it is told", ({ msg }) => msg.startsWith("the watch failed"));
  for (let i = 0; i < 20; i++) assert.equal(await isServedBy("a"), true);
  assert.equal(await evener.isReady(), true);
  await evener.waitLog("the problem", ({ reason }) => reason === "WatchFailing");
  await cluster.startApiServer();
  await cluster.admin.apply({ ...slice, ports: [{ name: "http", port: b.port }] });
  await eventually("the change", () => isServedBy("b"), WAIT_MS);
  await evener.waitLog("the problem is over", ({ msg }) => msg.startsWith("problem solved"));
});
