// SPDX-License-Identifier: Apache-2.0
/** Traffic reaches the right backends, and changes reach the traffic. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { curl, httpStatus, inParallel, OpenConnection, servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeEndpoints, makeIngress, makeSecret, makeService, makeSite } from "./lib/manifests.ts";

const isRoot = process.getuid?.() === 0;
const product = existsSync(join(import.meta.dirname, "../dist/lib/evener.mjs"));

test("the product: SNI a and SNI b reach their own backends, with their own certificates", {
  skip: product ? false : "dist is not built",
}, async (t) => {
  const [a, b] = [await startBackend(t, "backend a"), await startBackend(t, "backend b")];
  const [pairA, pairB] = [await makeKeyPair(["a.example"]), await makeKeyPair(["b.example"])];
  const evener = await Evener.start(
    t,
    {
      a: [...makeSite("a", [a.port]), makeSecret("a-tls", pairA)],
      b: [...makeSite("b", [b.port]), makeSecret("b-tls", pairB)],
    },
    { product: true },
  );
  const dir = await mkdtemp(join(tmpdir(), "evener-ca-"));
  t.after(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, "a.pem"), pairA.cert);
  await writeFile(join(dir, "b.pem"), pairB.cert);
  assert.equal(await curl("a.example", evener.httpsPort, join(dir, "a.pem")), "backend a");
  assert.equal(await curl("b.example", evener.httpsPort, join(dir, "b.pem")), "backend b");
  assert.equal(await evener.metric('evener_connections_total{listener="https"}'), 2);
  assert.equal((await evener.metric('evener_bytes_total{direction="in"}')) > 0, true);

  const certs = join(evener.runDir, "certs");
  // Nobody but the children's user gets in, and at the keys only by their names.
  assert.equal((await stat(evener.runDir)).mode & 0o1777, isRoot ? 0o1770 : 0o700);
  assert.equal((await stat(certs)).mode & 0o1777, isRoot ? 0o710 : 0o700);
  for (const name of await readdir(certs)) assert.equal((await stat(join(certs, name))).mode & 0o777, 0o600);
  const debug = `${(await evener.get("/debug/config")).text}${(await evener.get("/debug/model")).text}`;
  assert.match(debug, /a\.example/);
  assert.doesNotMatch(debug, /PRIVATE KEY/);
  assert.equal(await evener.stop(), 0);
});

/** In the TCP lane whoever is connected stays where he is; in the HTTP lane his next request goes where requests go now. */
async function surviveChanges(t: TestContext, lane: "http" | "tcp"): Promise<void> {
  const moved = lane === "tcp" ? "one" : "two";
  const [one, two] = [await startBackend(t, "one"), await startBackend(t, "two")];
  const [before, after] = [await makeKeyPair(["a.example"]), await makeKeyPair(["a.example"])];
  const evener = await Evener.start(t, {
    a: makeSite("a", [one.port], { lane }),
    tls: [makeSecret("a-tls", before)],
  });
  const connections = await inParallel(200, 20, () => OpenConnection.open("a.example", evener.httpsPort));
  t.after(() => Promise.all(connections.map((connection) => connection.close())));
  const askAll = () =>
    inParallel(200, 50, (i) => connections[i]?.ask("a.example") ?? Promise.resolve("none"));
  assert.deepEqual(new Set(await askAll()), new Set(["one"]));

  const hitchLog = () => evener.log.filter((record) => record.child === "hitch").length;
  const quiet = hitchLog();
  await evener.put("a", makeSite("a", [two.port], { lane }));
  await eventually("the new endpoint", async () => (await curl("a.example", evener.httpsPort)) === "two");
  assert.deepEqual(new Set(await askAll()), new Set([moved]));
  assert.equal(hitchLog(), quiet, "Hitch said something: it was signalled");
  assert.equal(await evener.metric("evener_hitch_generations"), 1);
  assert.equal(
    await evener.metric('evener_reloads_total{child="balance",reason="endpoints",result="ok"}'),
    1,
  );
  assert.equal(evener.countReloads("hitch"), 1);

  await evener.put("tls", [makeSecret("a-tls", after)]);
  await eventually("the rotation", () => evener.countReloads("hitch") === 2);
  const wanted = fingerprintLeaf(after.cert);
  for (let i = 0; i < 20; i++) assert.equal(await servedFingerprint("a.example", evener.httpsPort), wanted);
  assert.deepEqual(new Set(await askAll()), new Set([moved]));
  assert.ok(connections.every((connection) => connection.fingerprint === fingerprintLeaf(before.cert)));
  assert.equal(await evener.metric("evener_hitch_generations"), 2);
  assert.equal(await evener.metric('evener_connections_active{listener="https"}'), 200);
  assert.equal(evener.countReloads("balance"), 2);

  await Promise.all(connections.map((connection) => connection.close()));
  await eventually(
    "the old generation's end",
    async () => (await evener.metric("evener_hitch_generations")) === 1,
  );
  await eventually(
    "no connection",
    async () => (await evener.metric('evener_connections_active{listener="https"}')) === 0,
  );
}

for (const lane of ["http", "tcp"] as const) {
  test(`${lane} lane: 200 open connections survive an endpoint change and a rotation; only the rotation reloads Hitch`, (t) =>
    surviveChanges(t, lane));
}

test("a Secret that comes later is served when it is there; till then the default certificate", async (t) => {
  const a = await startBackend(t, "a");
  const pair = await makeKeyPair(["a.example"]);
  const evener = await Evener.start(t, { a: makeSite("a", [a.port]) });
  const first = await servedFingerprint("a.example", evener.httpsPort);
  assert.notEqual(first, fingerprintLeaf(pair.cert));
  assert.ok(
    (await evener.get("/metrics")).text.match(/^evener_problems\{kind="Ingress",reason="[^"]*"\} 1$/m),
  );
  await evener.put("tls", [makeSecret("a-tls", pair)]);
  await eventually(
    "the Secret's certificate",
    async () => (await servedFingerprint("a.example", evener.httpsPort)) === fingerprintLeaf(pair.cert),
  );
  assert.equal(await curl("a.example", evener.httpsPort), "a");
  await evener.waitLog("the problem's end", (record) => record.msg.startsWith("problem solved"));
});

test("of two certificates for one host from two namespaces the owner's is served", async (t) => {
  const a = await startBackend(t, "a");
  const [own, other] = [await makeKeyPair(["a.example"]), await makeKeyPair(["a.example"])];
  const site = (namespace: string, created: string) => [
    makeService("a", namespace),
    ...makeEndpoints("a", [a.port], namespace),
    makeIngress("a", "a.example", { namespace, created }),
  ];
  const evener = await Evener.start(t, {
    other: [...site("aaa", "2026-02-01T00:00:00Z"), makeSecret("a-tls", other, "aaa")],
    owner: [...site("zzz", "2026-01-01T00:00:00Z"), makeSecret("a-tls", own, "zzz")],
  });
  for (let i = 0; i < 5; i++) {
    assert.equal(await servedFingerprint("a.example", evener.httpsPort), fingerprintLeaf(own.cert));
  }
  // The other's rotation changes nothing of it.
  await evener.put("other", [
    ...site("aaa", "2026-02-01T00:00:00Z"),
    makeSecret("a-tls", await makeKeyPair(["a.example", "x.example"]), "aaa"),
    makeIngress("x", "x.example", { namespace: "aaa", service: "a", secret: "a-tls" }),
  ]);
  await eventually("the other's host", async () => (await curl("x.example", evener.httpsPort)) === "a");
  assert.equal(await servedFingerprint("a.example", evener.httpsPort), fingerprintLeaf(own.cert));
});

test("a Service without endpoints: refused, counted, reported; and served when it has some", async (t) => {
  const [a, b] = [await startBackend(t, "a"), await startBackend(t, "b")];
  const [pairA, pairB] = [await makeKeyPair(["a.example"]), await makeKeyPair(["b.example"])];
  const evener = await Evener.start(t, {
    a: [makeService("a"), makeIngress("a", "a.example"), makeSecret("a-tls", pairA)],
    b: [makeService("b"), makeIngress("b", "b.example", { lane: "tcp" }), makeSecret("b-tls", pairB)],
  });
  const refused = 'evener_connections_refused_total{listener="https",reason="no_channel"}';
  assert.equal(await httpStatus("a.example", evener.httpsPort), 503);
  assert.equal(await evener.metric(refused), 1);
  assert.equal(await httpStatus("b.example", evener.httpsPort), 0, "the TCP lane can only close");
  assert.equal(await evener.metric(refused), 2);
  assert.match((await evener.get("/metrics")).text, /^evener_problems\{.*\} 2$/m);
  await evener.put("endpoints", [...makeEndpoints("a", [a.port]), ...makeEndpoints("b", [b.port])]);
  await eventually("the endpoint", async () => (await httpStatus("a.example", evener.httpsPort)) === 200);
  await eventually("the other", async () => (await httpStatus("b.example", evener.httpsPort)) === 200);
  assert.doesNotMatch((await evener.get("/metrics")).text, /^evener_problems\{/m);
});
