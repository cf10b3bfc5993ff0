// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { type TestContext, test } from "node:test";
import { createSecureContext, createServer, type SecureContext } from "node:tls";
import { generateFallbackCertificate } from "../../src/apply/fallback-certificate.ts";
import { fingerprintLeaf } from "../../src/apply/fingerprint.ts";
import { probeCertificate } from "../../src/apply/tls-probe.ts";
import { makeKeyPair } from "../fixtures/certificates.ts";

async function listen(t: TestContext, contexts: Record<string, SecureContext>, key: string, cert: string) {
  const handshakes: string[] = [];
  const server = createServer(
    {
      key,
      cert,
      SNICallback: (name, done) => done(null, contexts[name]),
    },
    (socket) => {
      handshakes.push("complete");
      socket.on("error", () => undefined);
    },
  );
  server.on("tlsClientError", () => handshakes.push("aborted"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, handshakes };
}

test("sees the certificate of each name, and completes no handshake", async (t) => {
  const [a, d] = [await makeKeyPair(["a.example"]), await makeKeyPair(["default.example"])];
  const contexts = { "a.example": createSecureContext({ key: a.key, cert: a.cert }) };
  const { port, handshakes } = await listen(t, contexts, d.key, d.cert);
  assert.equal(await probeCertificate(port, "a.example", 5000), fingerprintLeaf(a.cert));
  assert.equal(await probeCertificate(port, "b.example", 5000), fingerprintLeaf(d.cert));
  assert.equal(await probeCertificate(port, undefined, 5000), fingerprintLeaf(d.cert));
  for (let i = 0; i < 100 && handshakes.length < 3; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(handshakes, ["aborted", "aborted", "aborted"]);
});

test("nobody there, nobody who speaks TLS, nobody who answers: an error in time", async (t) => {
  const server = createTcpServer((socket) => socket.on("error", () => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await assert.rejects(probeCertificate(port, undefined, 50), /within 50 ms/);
  server.on("connection", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await assert.rejects(probeCertificate(port, undefined, 5000));
  const free = createTcpServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port: freePort } = free.address() as AddressInfo;
  free.close();
  await once(free, "close");
  await assert.rejects(probeCertificate(freePort, undefined, 5000), /ECONNREFUSED/);
});

test("the fallback certificate works, and no two are the same", async (t) => {
  const now = new Date();
  const [one, two] = [await generateFallbackCertificate(now), await generateFallbackCertificate(now)];
  assert.notEqual(one.id, two.id);
  assert.ok(Date.parse(one.notAfter) > now.getTime());
  assert.equal(one.source, undefined);
  const { port } = await listen(t, {}, one.pem, one.pem.slice(one.pem.indexOf("-----BEGIN CERTIFICATE")));
  assert.equal(await probeCertificate(port, undefined, 5000), fingerprintLeaf(one.pem));
});
