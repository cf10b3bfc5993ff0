// SPDX-License-Identifier: Apache-2.0
/** OCSP stapling: a responder by `openssl ocsp`, answers that are kept across reloads, and nobody asked where it is off. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { Authority } from "./lib/authority.ts";
import { startBackend } from "./lib/backend.ts";
import { servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeSecret, makeSite } from "./lib/manifests.ts";

const run = promisify(execFile);

interface Responder {
  readonly url: string;
  readonly asked: () => number;
}

/** openssl's responder behind a server that counts. */
async function startResponder(t: TestContext, ca: Authority): Promise<Responder> {
  let asked = 0;
  const server = createServer(async (request, response) => {
    const n = asked++;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const [question, answer] = [join(ca.dir, `${n}.req`), join(ca.dir, `${n}.resp`)];
    await writeFile(question, Buffer.concat(parts));
    await run("openssl", [
      ...["ocsp", "-index", join(ca.dir, "index.txt"), "-CA", ca.own.certFile, "-ndays", "1"],
      ...["-rsigner", ca.own.certFile, "-rkey", ca.own.keyFile, "-reqin", question, "-respout", answer],
    ]);
    response.setHeader("content-type", "application/ocsp-response");
    response.end(await readFile(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp`, asked: () => asked };
}

async function readStaple(host: string, port: number): Promise<string> {
  const child = run("openssl", ["s_client", "-status", "-connect", `127.0.0.1:${port}`, "-servername", host]);
  child.child.stdin?.end();
  const { stdout } = await child;
  if (/OCSP response: no response sent/.test(stdout)) return "none";
  return /Cert Status: (\w+)/.exec(stdout)?.[1] ?? "?";
}

test("responses are stapled, and kept across reloads", async (t) => {
  const web = await startBackend(t, "web");
  const ca = await Authority.create(t, "ca");
  const responder = await startResponder(t, ca);
  const names = (host: string, url: string) => ({
    extensions: [`subjectAltName=DNS:${host}`, `authorityInfoAccess=OCSP;URI:${url}`],
  });
  const good = await ca.issue("a", names("a.example", responder.url));
  const revoked = await ca.issue("b", names("b.example", responder.url));
  const odd = await ca.issue("c", names("c.example", "http://[bad/"));
  await ca.revoke(revoked);
  const secret = (name: string, { key, cert }: typeof good) =>
    makeSecret(name, { key, cert: `${cert}${ca.own.cert}` });
  const sites = [
    ...makeSite("a", [web.port]),
    ...makeSite("b", [web.port]),
    ...makeSite("c", [web.port]),
    secret("a-tls", good),
    secret("b-tls", revoked),
    secret("c-tls", odd),
  ];

  await t.test("off by default: nobody is asked", async (t) => {
    const evener = await Evener.start(t, { sites });
    assert.equal(await readStaple("a.example", evener.httpsPort), "none");
    assert.equal(responder.asked(), 0);
  });

  const evener = await Evener.start(t, { sites }, { args: ["--ocsp-stapling"] });
  await eventually("the staple", async () => (await readStaple("a.example", evener.httpsPort)) === "good");
  // What its issuer has revoked is nothing to show, and what has no address nothing to ask for.
  assert.equal(await readStaple("b.example", evener.httpsPort), "none");
  assert.equal(await readStaple("c.example", evener.httpsPort), "none");
  await eventually("both to be asked for", () => responder.asked() >= 2);
  const asked = responder.asked();

  const other = await makeKeyPair(["d.example"]);
  await evener.put("d", [...makeSite("d", [web.port]), makeSecret("d-tls", other)]);
  await eventually("the reload", async () => evener.countReloads("hitch") === 2);
  for (let i = 0; i < 6; i++) assert.equal(await readStaple("a.example", evener.httpsPort), "good");
  assert.equal(responder.asked() - asked <= 1, true, "only the one without an answer may be asked for again");
  assert.notEqual(await servedFingerprint("d.example", evener.httpsPort), "");
});
