// SPDX-License-Identifier: Apache-2.0
/** Bad input while traffic flows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { curl, servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeIngress, makeSecret, makeSite } from "./lib/manifests.ts";

async function startSites(t: Parameters<typeof Evener.start>[0]) {
  const [a, b] = [await startBackend(t, "a"), await startBackend(t, "b")];
  const [pairA, pairB] = [await makeKeyPair(["a.example"]), await makeKeyPair(["b.example"])];
  const evener = await Evener.start(t, {
    a: makeSite("a", [a.port]),
    b: makeSite("b", [b.port]),
    "a-tls": [makeSecret("a-tls", pairA)],
    "b-tls": [makeSecret("b-tls", pairB)],
  });
  const assertServed = async () => {
    assert.equal(await curl("a.example", evener.httpsPort), "a");
    assert.equal(await curl("b.example", evener.httpsPort), "b");
  };
  return { evener, a, b, pairA, pairB, assertServed };
}

test("a file that breaks stops nothing; the problem names file and line, and goes with the mistake", async (t) => {
  const { evener, a, assertServed } = await startSites(t);
  await evener.putText("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: [\n");
  const problem = await evener.waitLog("the problem", ({ reason }) => reason === "BrokenYaml");
  assert.match(problem.msg, /a\.yaml line \d+/);
  assert.equal(problem.object, "File a.yaml");
  await evener.putText("a.json", "{");
  await evener.waitLog("the kept objects", ({ reason }) => reason === "LastGoodKept");
  await assertServed();
  assert.equal(await evener.isReady(), true);
  await evener.putText("a.yaml", "");
  await evener.put("a", makeSite("a", [a.port]));
  await eventually(
    "no problem",
    async () => !/^evener_problems\{/m.test((await evener.get("/metrics")).text),
  );
});

test("a key that does not fit its certificate is refused by name; the others go on", async (t) => {
  const { evener, pairA, pairB, assertServed } = await startSites(t);
  await evener.put("a-tls", [makeSecret("a-tls", { key: pairB.key, cert: pairA.cert })]);
  const problem = await evener.waitLog("the problem", ({ object }) => object === "Secret default/a-tls");
  assert.match(problem.msg, /key/);
  await assertServed();
  assert.equal(await servedFingerprint("b.example", evener.httpsPort), fingerprintLeaf(pairB.cert));
  assert.equal(evener.log.filter(({ msg }) => /PRIVATE KEY/.test(msg)).length, 0);
});

test("hostile strings reach neither configuration file nor the traffic of others", async (t) => {
  const { evener, a, assertServed } = await startSites(t);
  const marker = "EvilMarker";
  const hostile = [
    `"${marker}`,
    `a\n${marker} = 1\n`,
    `{${marker}}`,
    `# ${marker}`,
    `${marker}\0`,
    `${marker}`.repeat(16_384),
  ];
  const objects = hostile.flatMap((text, i) => [
    makeIngress(`host-${i}`, text, { service: "a", secret: "a-tls" }),
    makeIngress(`secret-${i}`, `s${i}.example`, { service: "a", secret: text }),
    makeIngress(`service-${i}`, `t${i}.example`, { service: text, secret: "a-tls" }),
    makeIngress(text, `n${i}.example`, { service: "a", secret: "a-tls" }),
  ]);
  await evener.put("hostile", [
    ...objects,
    makeIngress("fine", "fine.example", { service: "a", secret: "a-tls" }),
  ]);
  await eventually(
    "the good one among them",
    async () => (await curl("fine.example", evener.httpsPort)) === "a",
  );
  for (const file of ["hitch.conf", "balance.conf"])
    assert.doesNotMatch(await evener.readRunFile(file), /evilmarker/i);
  await assertServed();
  assert.ok(a.accepted() > 0);
  for (const record of evener.log) assert.ok(JSON.stringify(record).length < 8192, "an endless log record");
});
