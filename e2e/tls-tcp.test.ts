// SPDX-License-Identifier: Apache-2.0
/** Whole ports: a database behind TLS, told apart by server name, and raw TCP; both learn the client's address. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { readProxy, readSsl } from "../test/balance/lib/proxy-read.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { curl, servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import {
  type Manifest,
  makeEndpoints,
  makeIngress,
  makeSecret,
  makeService,
  makeSite,
} from "./lib/manifests.ts";
import { query, startDatabase } from "./lib/pg-like.ts";
import { findFreePorts } from "./lib/ports.ts";

/** Says who its client is, then echoes. */
async function startEcho(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    let held = Buffer.alloc(0);
    let known = false;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      if (!known) {
        const header = readProxy(held);
        if (header === undefined) return;
        known = true;
        held = held.subarray(header.size);
        socket.write(`${header.source} ${header.destination}\n`);
      }
      socket.write(held);
      held = Buffer.alloc(0);
    });
    socket.on("end", () => socket.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function service(name: string, ports: readonly number[], proxy: string): Manifest[] {
  const made = makeService(name);
  Object.assign(made.metadata as object, { annotations: { "evener.io/proxy-protocol": proxy } });
  return [made, ...makeEndpoints(name, ports)];
}

function portIngress(name: string, host: string, port: number, secret: boolean): Manifest {
  const ingress = makeIngress(name, host) as { metadata: object; spec: { tls?: unknown } };
  Object.assign(ingress.metadata, { annotations: { "evener.io/tcp-service-port": String(port) } });
  if (!secret) delete ingress.spec.tls;
  return ingress as unknown as Manifest;
}

async function rawTalk(port: number, text: string): Promise<{ answer: string; client: string }> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString();
  });
  await once(socket, "connect");
  const client = `${socket.localAddress}:${socket.localPort}`;
  socket.end(text);
  await once(socket, "close");
  return { answer, client };
}

test("a database behind TLS and a raw service, by flags and by Ingress", async (t) => {
  const [one, two] = [await startDatabase(t, "one"), await startDatabase(t, "two")];
  const echo = await startEcho(t);
  const web = await startBackend(t, "web");
  const [tlsPort = 0, anyPort = 0, plainPort = 0, ingressPort = 0, forbidden = 0] = await findFreePorts(5);
  const pairs = {
    a: await makeKeyPair(["a.example"]),
    one: await makeKeyPair(["one.example"]),
    two: await makeKeyPair(["two.example"]),
  };
  const evener = await Evener.start(
    t,
    {
      a: [...makeSite("a", [web.port]), makeSecret("a-tls", pairs.a)],
      one: [...service("one", [one.port], "v2-ssl"), makeSecret("one-tls", pairs.one)],
      two: [...service("two", [two.port], "v2-ssl"), makeSecret("two-tls", pairs.two)],
      echo: service("echo", [echo], "v2"),
      ports: [
        portIngress("two", "two.example", tlsPort, true),
        portIngress("one", "one.example", tlsPort, true),
        portIngress("echo", "ignored.example", ingressPort, false),
        { ...portIngress("a", "b.example", forbidden, false), metadata: portMeta("late", forbidden) },
      ],
    },
    {
      args: [
        ...["--alpn", "http/1.1,postgresql", "--tcp-ports", `${tlsPort},${ingressPort}`],
        ...[
          "--tcp-service",
          `${plainPort}=default/echo:80`,
          "--tcp-service",
          `${anyPort}=default/one:http/tls`,
        ],
      ],
    },
  );

  await t.test("the server name chooses among databases of one port", async () => {
    for (const [name, database] of [
      ["one", one],
      ["two", two],
    ] as const) {
      const { row, client, alpn } = await query(tlsPort, `${name}.example`, "select 1");
      assert.equal(row, `${name} ${client} select 1`);
      assert.equal(alpn, "postgresql");
      const header = database.headers.at(-1);
      assert.equal(header?.destination, `127.0.0.1:${tlsPort}`);
      assert.equal(header?.tlvs.get(2)?.toString(), `${name}.example`);
      assert.equal(readSsl(header?.tlvs.get(0x20) ?? Buffer.alloc(0)).client & 1, 1);
      assert.equal(
        await servedFingerprint(`${name}.example`, tlsPort),
        await servedFingerprint(`${name}.example`, evener.httpsPort),
      );
    }
    // A client of before ALPN, and one that offers what nobody speaks.
    assert.match((await query(tlsPort, "one.example", "x", [])).row, /^one /);
    await assert.rejects(query(tlsPort, "one.example", "x", ["imap"]));
  });

  await t.test("a port is for its own services", async () => {
    await assert.rejects(query(tlsPort, "a.example", "x", []), "a.example is a web site");
    await assert.rejects(query(tlsPort, undefined, "x", []));
    // On the web port the databases are unknown hosts.
    await assert.rejects(query(evener.httpsPort, "one.example", "x", []));
    assert.equal(await curl("a.example", evener.httpsPort), "web");
    // Without a host every name is served.
    assert.match((await query(anyPort, "whatever.example", "x")).row, /^one /);
    assert.match((await query(anyPort, undefined, "x")).row, /^one /);
  });

  await t.test("raw TCP, with the client's address in front", async () => {
    for (const port of [plainPort, ingressPort]) {
      const { answer, client } = await rawTalk(port, "raw\0bytes");
      assert.equal(answer, `${client} 127.0.0.1:${port}\nraw\0bytes`);
    }
  });

  await t.test("what is not allowed has no listener, and says so", async () => {
    await assert.rejects(rawTalk(forbidden, "x"));
    await evener.waitLog("the problem", (record) => record.reason === "TcpPortNotAllowed");
  });

  await t.test("a port comes and goes while it runs, and open connections stay", async () => {
    const socket = connect(plainPort, "127.0.0.1");
    await once(socket, "connect");
    socket.write("before ");
    // The line about the client and the echo may come in one piece or in two.
    let first = "";
    while (!first.endsWith("before ")) {
      const [bytes] = (await once(socket, "data")) as [Buffer];
      first += bytes.toString();
    }
    await evener.put("ports", [portIngress("two", "two.example", tlsPort, true)]);
    await eventually("the port to be closed", () =>
      rawTalk(ingressPort, "x").then(
        () => false,
        () => true,
      ),
    );
    socket.write("after");
    const second = (await once(socket, "data")) as [Buffer];
    assert.equal(second.toString(), "after");
    socket.destroy();
    assert.match((await query(tlsPort, "two.example", "x")).row, /^two /);
    await assert.rejects(query(tlsPort, "one.example", "x"));
  });
});

function portMeta(name: string, port: number): object {
  return { name, namespace: "default", annotations: { "evener.io/tcp-service-port": String(port) } };
}
