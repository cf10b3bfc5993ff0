// SPDX-License-Identifier: Apache-2.0
/** Balance before Hitch: TLS passthrough, PROXY on the TLS port, and the change to that and back while clients come. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { proxyV1, proxyV2 } from "../test/balance/lib/proxy.ts";
import { type KeyPair, makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { curl, curlStatus, OpenConnection, servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import {
  type Manifest,
  makeEndpoints,
  makeIngress,
  makeSecret,
  makeService,
  makeSite,
} from "./lib/manifests.ts";
import { findFreePorts } from "./lib/ports.ts";

/** A pod that ends TLS itself. */
async function startTlsPod(t: TestContext, pair: KeyPair): Promise<number> {
  const server = createTlsServer({ key: pair.key, cert: pair.cert }, (_request, response) =>
    response.end("the pod's own TLS\n"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function passthrough(name: string, port: number): Manifest[] {
  const ingress = makeIngress(name, `${name}.example`) as { metadata: object; spec: { tls?: unknown } };
  Object.assign(ingress.metadata, {
    annotations: { "nginx.ingress.kubernetes.io/ssl-passthrough": "true" },
  });
  delete ingress.spec.tls;
  return [makeService(name), ...makeEndpoints(name, [port]), ingress as unknown as Manifest];
}

test("passthrough comes and goes, and nobody who is served by Hitch notices", async (t) => {
  const web = await startBackend(t, "web");
  const [own, a] = [await makeKeyPair(["own.example"]), await makeKeyPair(["a.example"])];
  const pod = await startTlsPod(t, own);
  const [internal = 0] = await findFreePorts(1);
  const evener = await Evener.start(
    t,
    { a: [...makeSite("a", [web.port]), makeSecret("a-tls", a)] },
    { args: ["--enable-ssl-passthrough", "--internal-tls-port", String(internal)] },
  );
  assert.doesNotMatch(await evener.readRunFile("balance.conf"), /^listen front/m);
  const before = await OpenConnection.open("a.example", evener.httpsPort);
  t.after(() => before.close());

  let failures = 0;
  let asked = 0;
  let going = true;
  const crowd = Array.from({ length: 4 }, async () => {
    while (going) {
      asked++;
      if ((await curlStatus("a.example", evener.httpsPort)) !== 0) failures++;
    }
  });
  await eventually("clients to come", () => asked > 10);
  await evener.put("own", passthrough("own", pod));
  await eventually("the pod's certificate", async () => {
    return (
      (await servedFingerprint("own.example", evener.httpsPort).catch(() => "")) === fingerprintLeaf(own.cert)
    );
  });
  assert.equal(await curl("own.example", evener.httpsPort), "the pod's own TLS");
  const seen = asked;
  await eventually("more clients to come", () => asked > seen + 20);
  assert.equal(failures, 0);
  assert.match(await evener.readRunFile("hitch.conf"), /^proxy-proxy = on$/m);

  assert.equal(await servedFingerprint("a.example", evener.httpsPort), fingerprintLeaf(a.cert));
  assert.equal(await before.ask("a.example"), "web");
  const during = await OpenConnection.open("a.example", evener.httpsPort);
  t.after(() => during.close());
  const relayed = await OpenConnection.open("own.example", evener.httpsPort);
  t.after(() => relayed.close());
  // Without TLS one is sent to where it is asked for with it.
  const plain = await fetch(`http://127.0.0.1:${evener.httpPort}/`, { redirect: "manual" });
  assert.equal(plain.status, 404);

  // A certificate changes while Balance is in front.
  const renewed = await makeKeyPair(["a.example"]);
  await evener.put("a", [...makeSite("a", [web.port]), makeSecret("a-tls", renewed)]);
  await eventually("the new certificate", async () => {
    return (await servedFingerprint("a.example", evener.httpsPort)) === fingerprintLeaf(renewed.cert);
  });
  assert.equal(failures, 0);
  going = false;
  await Promise.all(crowd);

  await evener.put("own", []);
  await eventually("Hitch to have the port", async () => {
    return !/^listen front/m.test(await evener.readRunFile("balance.conf"));
  });
  assert.match(await evener.readRunFile("hitch.conf"), /^write-proxy-v2 = on$/m);
  await eventually("the default certificate", async () => {
    return (await servedFingerprint("own.example", evener.httpsPort)) !== fingerprintLeaf(own.cert);
  });
  assert.equal(await curl("a.example", evener.httpsPort), "web");
  assert.equal(await before.ask("a.example"), "web");
  assert.equal(await during.ask("a.example"), "web");
  assert.equal(await relayed.ask("own.example"), "the pod's own TLS");
  // Open connections would hold up the end.
  await Promise.all([before, during, relayed].map((connection) => connection.close()));
});

/** An HTTPS request with bytes in front of the handshake. */
async function askBehind(port: number, preface: Buffer, servername: string): Promise<string> {
  const raw = connect(port, "127.0.0.1");
  await once(raw, "connect");
  raw.write(preface);
  const socket = connectTls({ socket: raw, servername, rejectUnauthorized: false });
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString();
  });
  try {
    await once(socket, "secureConnect");
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    await once(socket, "close");
  } finally {
    raw.destroy();
  }
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

async function startHeaders(t: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    const body = JSON.stringify(request.headers);
    response.writeHead(200, { "content-length": body.length });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("a load balancer speaks PROXY on the TLS port", async (t) => {
  const pod = await startHeaders(t);
  const own = await makeKeyPair(["own.example"]);
  const tlsPod = await startTlsPod(t, own);
  const [internal = 0, extra = 0] = await findFreePorts(2);
  const evener = await Evener.start(
    t,
    {
      a: [...makeSite("a", [pod]), makeSecret("a-tls", await makeKeyPair(["a.example"]))],
      own: passthrough("own", tlsPod),
    },
    {
      args: [
        ...["--use-proxy-protocol", "--trusted-proxies", "127.0.0.1", "--enable-ssl-passthrough"],
        ...["--internal-tls-port", String(internal), "--extra-tls-port", String(extra)],
      ],
    },
  );
  for (const port of [evener.httpsPort, extra]) {
    for (const [version, preface] of [
      ["v1", proxyV1("192.0.2.7", 4711)],
      ["v2", proxyV2(undefined, "192.0.2.7", 4711)],
    ] as const) {
      const headers = JSON.parse(await askBehind(port, preface, "a.example")) as IncomingHttpHeaders;
      assert.equal(headers["x-forwarded-for"], "192.0.2.7", version);
      assert.equal(headers["x-forwarded-proto"], "https");
      assert.equal(await askBehind(port, preface, "own.example"), "the pod's own TLS\n");
    }
  }
  // Who is trusted has to say for whom he speaks, and in one way.
  assert.notEqual(await curlStatus("a.example", evener.httpsPort), 0);
  await assert.rejects(askBehind(evener.httpsPort, Buffer.from("PROXY nonsense\r\n"), "a.example"));
  await assert.rejects(
    askBehind(
      evener.httpsPort,
      Buffer.concat([proxyV1(), Buffer.from("GET / HTTP/1.1\r\n\r\n")]),
      "a.example",
    ),
  );
});
