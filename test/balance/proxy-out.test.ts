// SPDX-License-Identifier: Apache-2.0
// send-proxy=: what a pod hears of the client before the client's first byte.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import tls from "node:tls";
import { HITCH, skipWithoutDataPlane } from "../helpers/data-plane.ts";
import { headEnd, parseHead } from "./http-lib/message.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";
import { start } from "./lib/balance.ts";
import { connect, freePort, type Pod, pod } from "./lib/net.ts";
import { proxyV1, proxyV2 } from "./lib/proxy.ts";
import { type ProxyHeader, readProxy, readSsl } from "./lib/proxy-read.ts";
import { until } from "./lib/until.ts";

interface Heard {
  header: ProxyHeader | undefined;
  /** What came behind it. */
  rest: Buffer;
  socket: net.Socket;
}

/** Reads the header of each connection and keeps what follows; says "hello" as soon as the header is there. */
async function hearing(t: TestContext, onData?: (heard: Heard) => void): Promise<Pod & { heard: Heard[] }> {
  const heard: Heard[] = [];
  const me = await pod(t, (socket) => {
    const one: Heard = { header: undefined, rest: Buffer.alloc(0), socket };
    heard.push(one);
    socket.on("data", (chunk: Buffer) => {
      one.rest = Buffer.concat([one.rest, chunk]);
      if (one.header === undefined) {
        one.header = readProxy(one.rest);
        if (one.header === undefined) return;
        one.rest = one.rest.subarray(one.header.size);
        if (onData === undefined) socket.write("hello");
      }
      onData?.(one);
    });
    socket.on("end", () => socket.end());
  });
  return Object.assign(me, { heard });
}

const POD = (name: string, mode: string, p: Pod): string => `pool ${name} send-proxy=${mode} ${p.address}`;

test("each version says who the client is and what it connected to; a pod that speaks first has it at once", async (t) => {
  const a = await hearing(t);
  const port = await freePort();
  const port6 = await freePort();
  const sock = path.join(tmpdir(), `balance-proxy-out-${process.pid}.sock`);
  await start(
    t,
    `workers 2
     listen plain tcp:127.0.0.1:${port}
     listen six tcp:[::1]:${port6}
     listen told unix:${sock} proxy=any
     listen silent unix:${sock}2
     ${POD("one", "v1", a)}
     ${POD("two", "v2", a)}
     route plain * one
     route six * two
     route told *.v1.example one
     route told * two
     route silent * one`,
  );
  const talk = async (socket: net.Socket, first?: Buffer | string): Promise<ProxyHeader> => {
    if (first !== undefined) socket.write(first);
    const [hello] = await once(socket, "data");
    assert.equal(String(hello), "hello");
    const one = a.heard.at(-1) as Heard;
    socket.end("last words");
    await until("all is there", () => one.rest.toString() === "last words");
    return one.header as ProxyHeader;
  };
  const direct = connect(t, port);
  await once(direct, "connect");
  const source = `127.0.0.1:${direct.localPort}`;
  const one = await talk(direct);
  assert.deepEqual(
    [one.version, one.kind, one.source, one.destination],
    [1, "TCP4", source, `127.0.0.1:${port}`],
  );
  const six = (await import("node:net")).connect({ port: port6, host: "::1" });
  t.after(() => six.destroy());
  await once(six, "connect");
  const from6 = `[0:0:0:0:0:0:0:1]:${six.localPort}`;
  const over6 = await talk(six);
  assert.deepEqual(
    [over6.version, over6.kind, over6.source, over6.destination],
    [2, "TCP6", from6, `[0:0:0:0:0:0:0:1]:${port6}`],
  );
  // Through a header that came in: its addresses, not those of the sockets.
  const told = await talk(connect(t, sock), proxyV2("a.example", "192.0.2.9", 4712));
  assert.deepEqual(
    [told.version, told.kind, told.source, told.destination, told.tlvs.size],
    [2, "TCP4", "192.0.2.9:4712", "192.0.2.1:443", 0],
  );
  const old = await talk(connect(t, sock), proxyV1("192.0.2.10", 4713));
  assert.deepEqual([old.version, old.source, old.destination], [2, "192.0.2.10:4713", "192.0.2.1:443"]);
  const again = await talk(connect(t, sock), proxyV2("a.v1.example", "192.0.2.11", 4714));
  assert.deepEqual([again.version, again.source, again.destination], [1, "192.0.2.11:4714", "192.0.2.1:443"]);
  assert.equal((await talk(connect(t, sock), "PROXY UNKNOWN\r\n")).kind, "LOCAL");
  assert.equal((await talk(connect(t, `${sock}2`))).kind, "UNKNOWN");
});

test("v2-ssl through Hitch: the pod learns version, cipher, host and protocol, and the client's certificate", {
  skip: skipWithoutDataPlane(),
}, async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "balance-hitch-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const subject = (name: string) => ["-subj", `/CN=${name}`, "-days", "2", "-nodes", "-newkey", "rsa:2048"];
  openssl("req", "-x509", ...subject("secure.example"), "-keyout", "server.key", "-out", "server.crt");
  openssl("req", "-x509", ...subject("a client"), "-keyout", "client.key", "-out", "client.crt");
  const pem =
    readFileSync(path.join(dir, "server.key"), "utf8") + readFileSync(path.join(dir, "server.crt"), "utf8");
  writeFileSync(path.join(dir, "server.pem"), pem, { mode: 0o600 });
  const a = await hearing(t);
  const [port, strict] = [await freePort(), await freePort()];
  await start(
    t,
    `workers 2
     listen https unix:${dir}/balance.sock proxy=v2
     ${POD("secure", "v2-ssl", a)}
     ${POD("plainly", "v2", a)}
     route https secure.example secure
     route https * plainly`,
  );
  // Hitch does not run as root; whom it runs as has to come through to Balance and its own files.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (nobody.uid !== undefined) {
    chmodSync(dir, 0o755);
    for (const file of ["server.pem", "balance.sock"])
      chownSync(path.join(dir, file), nobody.uid, nobody.gid);
  }
  const conf = (front: number, more: string) =>
    `frontend = { host = "127.0.0.1" port = "${front}" }
backend = "${dir}/balance.sock"
write-proxy-v2 = on
proxy-tlv = on
tls-protos = TLSv1.2 TLSv1.3
alpn-protos = "http/1.1,http/1.0"
workers = 1
daemon = off
syslog = off
log-level = 1
ocsp-dir = "/dev/null/none"
${more}
pem-file = "${dir}/server.pem"
`;
  for (const [front, more] of [
    [port, ""],
    [strict, `client-verify = required\nclient-verify-ca = "${dir}/client.crt"`],
  ] as const) {
    const file = path.join(dir, `hitch-${front}.conf`);
    writeFileSync(file, conf(front, more));
    const hitch = spawn(HITCH, [`--config=${file}`], { stdio: ["ignore", "pipe", "pipe"], ...nobody });
    let log = "";
    hitch.stderr.on("data", (text) => {
      log += text;
    });
    t.after(async () => {
      hitch.kill("SIGTERM");
      if (hitch.exitCode === null && hitch.signalCode === null) await once(hitch, "exit");
    });
    await until("Hitch listens", async () => {
      assert.equal(hitch.exitCode, null, log);
      const socket = connect(undefined, front);
      const [event] = await Promise.race([
        once(socket, "connect").then(() => ["connect"]),
        once(socket, "close").then(() => ["close"]),
      ]);
      socket.destroy();
      return event === "connect";
    });
  }
  const talk = async (options: tls.ConnectionOptions): Promise<[ProxyHeader, tls.TLSSocket]> => {
    const socket = tls.connect({ host: "127.0.0.1", rejectUnauthorized: false, ...options });
    t.after(() => socket.destroy());
    const [hello] = await once(socket, "data");
    assert.equal(String(hello), "hello");
    return [a.heard.at(-1)?.header as ProxyHeader, socket];
  };
  const [header, socket] = await talk({ port, servername: "secure.example", ALPNProtocols: ["http/1.1"] });
  assert.equal(header.source, `127.0.0.1:${socket.localPort}`);
  assert.equal(header.destination, `127.0.0.1:${port}`);
  assert.equal(header.tlvs.get(0x02)?.toString(), "secure.example");
  assert.equal(header.tlvs.get(0x01)?.toString(), "http/1.1");
  const ssl = readSsl(header.tlvs.get(0x20) as Buffer);
  assert.equal(ssl.client & 1, 1, "came over TLS");
  assert.equal(ssl.client & 6, 0, "showed no certificate");
  assert.equal(ssl.facts.get(0x21), socket.getProtocol());
  assert.equal(ssl.facts.get(0x23), socket.getCipher().standardName ?? socket.getCipher().name);
  const [other] = await talk({ port, servername: "other.example" });
  assert.equal(other.tlvs.size, 0, "v2 alone passes no TLS facts on");
  const [proven] = await talk({
    port: strict,
    servername: "secure.example",
    key: readFileSync(path.join(dir, "client.key")),
    cert: readFileSync(path.join(dir, "client.crt")),
  });
  const known = readSsl(proven.tlvs.get(0x20) as Buffer);
  assert.notEqual(known.client & 6, 0, "showed a certificate");
  assert.equal(known.verify, 0, "that was verified");
  assert.equal(known.facts.get(0x21), "TLSv1.3");
});

test("HTTP lane: a pod's connection with a header serves one client's connection, again and again, and no other", async (t) => {
  const answer = (one: Heard): void => {
    for (let end = headEnd(one.rest); end !== undefined; end = headEnd(one.rest)) {
      const head = parseHead(one.rest.subarray(0, end));
      one.rest = one.rest.subarray(end);
      // Who the header named and who the request is from have to be the same.
      assert.equal(head.fields.get("x-forwarded-for"), one.header?.source?.split(":")[0]);
      const body = String(one.socket.remotePort);
      const closing = head.line.includes("/last") ? "Connection: close\r\n" : "";
      one.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${closing}\r\n${body}`);
      if (closing !== "") one.socket.end();
    }
  };
  const pods = [await hearing(t, answer), await hearing(t, answer)] as const;
  const shared: string[] = [];
  const plain = await pod(t, (socket) => {
    socket.on("data", () => {
      shared.push(String(socket.remotePort));
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\np");
    });
  });
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port} proxy=v1 table=main
     pool p send-proxy=v2 ${pods[0]?.address} ${pods[1]?.address}
     pool q ${plain.address}
     rule main * prefix /plain q
     default main p`,
  );
  const clients = await Promise.all(
    [1, 2, 3].map(async (i) => {
      const client = await RawClient.open(port);
      client.send(proxyV1(`10.0.0.${i}`));
      return client;
    }),
  );
  t.after(() => {
    for (const client of clients) client.close();
  });
  const ask = async (i: number, target = "/"): Promise<string> => {
    const answered = await (clients[i] as RawClient).request(get(target));
    assert.equal(answered.status, 200);
    return answered.body.toString();
  };
  const first = [await ask(0), await ask(1), await ask(2)];
  assert.equal(new Set(first).size, 3, "one for each client");
  for (let round = 0; round < 4; round++)
    for (const i of [2, 0, 1]) assert.equal(await ask(i), first[i], "the same for the next request");
  assert.equal(pods[0].heard.length + pods[1].heard.length, 3);
  // Nothing that was told of a client rests where others find it.
  clients[0]?.close();
  await until("its pod's connection is closed", () => pods.flatMap((p) => [...p.sockets]).length === 2);
  clients[0] = await RawClient.open(port);
  clients[0].send(proxyV1("10.0.0.4"));
  assert.ok(!first.includes(await ask(0)));
  // Another pool between: its connections are shared as ever, and the next header goes over a new connection.
  await ask(1, "/plain");
  await ask(2, "/plain");
  assert.deepEqual(new Set(shared).size, 1);
  const second = await ask(1);
  assert.ok(!first.includes(second));
  // A pod that ends its connection, said or unsaid, costs nobody an answer.
  await ask(1, "/last");
  const third = await ask(1);
  assert.notEqual(third, second);
  for (const p of pods)
    for (const one of p.heard) if (String(one.socket.remotePort) === third) one.socket.resetAndDestroy();
  assert.notEqual(await ask(1), third);
  assert.ok((await balance.channels("p")).every((channel) => channel.active === 0));
});

test("HTTP lane: a connection that rests for its client goes to no other pod's channel when its own has left", async (t) => {
  const speaking = (name: string) =>
    hearing(t, (one) => {
      for (let end = headEnd(one.rest); end !== undefined; end = headEnd(one.rest)) {
        one.rest = one.rest.subarray(end);
        one.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${name}`);
      }
    });
  const [a, b, c] = [await speaking("a"), await speaking("b"), await speaking("c")];
  const port = await freePort();
  const conf = (...pods: Pod[]): string =>
    `workers 1
     listen l tcp:127.0.0.1:${port} table=main
     pool p send-proxy=v2 ${pods.map((one) => one.address).join(" ")}
     default main p`;
  const balance = await start(t, conf(a));
  const client = await RawClient.open(port);
  t.after(() => client.close());
  const ask = async (): Promise<string> => (await client.request(get("/"))).body.toString();
  assert.equal(await ask(), "a");
  assert.equal((await balance.reload(conf(b, a))).ok, true);
  assert.equal(await ask(), "a", "it stays as long as its channel does");
  assert.equal(a.heard.length, 1);
  // The counters that were a's are free after the first of these, and c's after the second.
  assert.equal((await balance.reload(conf(b))).ok, true);
  assert.equal((await balance.reload(conf(b, c))).ok, true);
  for (let i = 0; i < 4; i++) assert.match(await ask(), /[bc]/);
  await until("the connection to a is closed", () => a.sockets.size === 0);
});

test("what follows the header is moved in bulk as ever, both ways", async (t) => {
  const SIZE = 64 << 20;
  const noise = randomBytes(1 << 20);
  const expected = createHash("sha1");
  for (let i = 0; i < SIZE; i += noise.length) expected.update(noise);
  const want = expected.digest("hex");
  const send = async (socket: net.Socket): Promise<void> => {
    for (let i = 0; i < SIZE; i += noise.length)
      if (!socket.write(noise)) await new Promise((done) => socket.once("drain", done));
    socket.end();
  };
  const receive = async (socket: net.Socket, first: Buffer): Promise<string> => {
    const hash = createHash("sha1").update(first);
    for await (const chunk of socket) hash.update(chunk);
    return hash.digest("hex");
  };
  const got: Promise<string>[] = [];
  const sources: (string | undefined)[] = [];
  const a = await pod(t, async (socket) => {
    let bytes: Buffer = Buffer.alloc(0);
    let header: ProxyHeader | undefined;
    while (header === undefined) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) await once(socket, "readable");
      else bytes = Buffer.concat([bytes, chunk]);
      header = bytes.length > 0 ? readProxy(bytes) : undefined;
    }
    sources.push(header.source);
    got.push(receive(socket, bytes.subarray(header.size)));
    await send(socket);
  });
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}
     pool p send-proxy=v1 ${a.address}
     route l * p`,
  );
  const socket = connect(t, port);
  await once(socket, "connect");
  const source = `127.0.0.1:${socket.localPort}`;
  const [down] = await Promise.all([receive(socket, Buffer.alloc(0)), send(socket)]);
  assert.equal(down, want);
  assert.equal(await got[0], want);
  assert.deepEqual(sources, [source]);
  const [channel] = await balance.channels("p");
  assert.deepEqual([channel?.bytes_in, channel?.bytes_out], [SIZE, SIZE]);
});

test("HTTP lane: requests, resets and reloads that turn headers, limits and queue on and off leave nothing over", async (t) => {
  let seed = 815;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  const wrong: string[] = [];
  const a = await pod(t, (socket) => {
    let bytes: Buffer = Buffer.alloc(0);
    let from: string | undefined;
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (from === undefined && bytes.subarray(0, 6).toString("latin1") === "PROXY ") {
        const header = readProxy(bytes);
        if (header === undefined) return;
        from = header.source?.split(":")[0];
        bytes = bytes.subarray(header.size);
      }
      for (let end = headEnd(bytes); end !== undefined; end = headEnd(bytes)) {
        const head = parseHead(bytes.subarray(0, end));
        bytes = bytes.subarray(end);
        const client = head.fields.get("x-forwarded-for");
        if (from !== undefined && from !== client) wrong.push(`${client} over the connection of ${from}`);
        const what = random(12);
        if (what === 0) socket.resetAndDestroy();
        else if (what === 1)
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        else if (what === 2) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        else setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), random(4));
      }
    });
    socket.on("end", () => socket.end());
  });
  const port = await freePort();
  const conf = (pool: string): string => `workers 3
     listen l tcp:127.0.0.1:${port} proxy=v1 table=main
     pool p ${pool} ${a.address}
     default main p`;
  const pools = [
    "send-proxy=v1 maxconn=4 queue=50 queue-timeout=5",
    "send-proxy=v1",
    "maxconn=3 client-limit=2 queue=9 queue-timeout=0.1",
    "",
    "send-proxy=v1 client-limit=3 queue=9",
  ];
  const balance = await start(t, conf(pools[0] as string));
  const one = async (i: number): Promise<void> => {
    const client = await RawClient.open(port);
    client.send(proxyV1(`10.0.0.${i % 9}`));
    for (let n = random(9); n >= 0 && !client.closed; n--) {
      client.send(get("/") + (random(4) === 0 ? get("/next") : ""));
      if (random(6) === 0) break;
      const answer = await client.tryAnswer();
      if (answer !== undefined && ![200, 502, 503].includes(answer.status)) wrong.push(answer.line);
    }
    if (random(2) === 0) client.close();
    else client.socket.resetAndDestroy();
  };
  const running = new Set<Promise<void>>();
  for (let i = 0; i < 500; i++) {
    const client = one(i).finally(() => running.delete(client));
    running.add(client);
    if (running.size >= 30) await Promise.race(running);
    if (i % 40 === 39) await balance.reload(conf(pools[random(pools.length)] as string));
  }
  await Promise.all(running);
  await until("nothing is held", async () => {
    const { places, queued } = await balance.pool("p");
    return places === 0 && queued === 0 && (await balance.listener("l")).active === 0;
  });
  assert.ok((await balance.channels("p")).every((channel) => channel.active === 0));
  assert.deepEqual(wrong, []);
});
