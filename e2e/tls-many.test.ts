// SPDX-License-Identifier: Apache-2.0
/** Many certificates, some of them renewed while clients are connected. EVENER_TLS_MANY says how many (300); docs/tls.md has the figures of more. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { type MadeCertificate, makeCertificates } from "../test/helpers/certificates.ts";
import { startBackend } from "./lib/backend.ts";
import { inParallel, OpenConnection, servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { type Manifest, makeEndpoints, makeIngress, makeSecret, makeService } from "./lib/manifests.ts";

const COUNT = Number(process.env.EVENER_TLS_MANY ?? 300);
const PER_FILE = 50;
const WAIT_MS = 300_000;

const hostOf = (i: number) => `h${i}.example`;

async function makeMany(numbers: readonly number[]): Promise<Map<number, MadeCertificate>> {
  const specs = Object.fromEntries(numbers.map((i) => [String(i), { names: [hostOf(i)] }]));
  const made = await makeCertificates(specs);
  return new Map([...made].map(([name, pair]) => [Number(name), pair]));
}

test(`${COUNT} certificates, one and then every tenth renewed`, async (t) => {
  const web = await startBackend(t, "web");
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  const pairs = await makeMany(numbers);
  const fileOf = (i: number) => `secrets-${Math.floor(i / PER_FILE)}`;
  const listSecrets = (file: string): Manifest[] =>
    numbers
      .filter((i) => fileOf(i) === file)
      .map((i) => {
        const { crt = "", key = "" } = pairs.get(i) ?? {};
        return makeSecret(`tls-${i}`, { cert: crt, key });
      });
  const files = [...new Set(numbers.map(fileOf))];
  const evener = await Evener.start(
    t,
    {
      web: [makeService("web"), ...makeEndpoints("web", [web.port])],
      ingresses: numbers.map((i) =>
        makeIngress(`i${i}`, hostOf(i), { service: "web", secret: `tls-${i}`, lane: "tcp" }),
      ),
      ...Object.fromEntries(files.map((file) => [file, listSecrets(file)])),
    },
    { waitReady: false },
  );
  const clock = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await work();
    t.diagnostic(`${what}: ${Math.round(performance.now() - began)} ms`);
    return result;
  };
  await clock("until ready", () => eventually("ready", () => evener.isReady(), WAIT_MS));
  const serves = async (i: number) =>
    (await servedFingerprint(hostOf(i), evener.httpsPort)) === fingerprintLeaf(pairs.get(i)?.crt ?? "");
  const open = await inParallel(20, 5, (i) => OpenConnection.open(hostOf(i), evener.httpsPort));

  const renew = async (some: readonly number[]) => {
    for (const [i, pair] of await makeMany(some)) pairs.set(i, pair);
    for (const file of new Set(some.map(fileOf))) await evener.put(file, listSecrets(file));
  };
  await renew([COUNT - 1]);
  await clock("one renewed, until served", () =>
    eventually("the new certificate", () => serves(COUNT - 1), WAIT_MS),
  );
  const tenth = numbers.filter((i) => i % 10 === 0);
  await renew(tenth);
  await clock(`${tenth.length} renewed, until the last is served`, async () => {
    for (const i of tenth) await eventually(`the new certificate of ${hostOf(i)}`, () => serves(i), WAIT_MS);
  });
  for (const i of [1, COUNT - 2]) assert.equal(await serves(i), true, `${hostOf(i)} was left alone`);
  // Who was connected still is, and what was renewed leaves no key behind.
  for (const [i, connection] of open.entries()) assert.equal(await connection.ask(hostOf(i)), "web");
  await Promise.all(open.map((connection) => connection.close()));
  await eventually(
    "old keys to go",
    async () => (await readdir(join(evener.runDir, "certs"))).length === COUNT + 1,
  );
  assert.equal(
    await evener.metric('evener_reloads_total{child="hitch",reason="certificates",result="refused"}'),
    0,
  );
});
