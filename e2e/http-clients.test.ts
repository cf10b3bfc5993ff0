// SPDX-License-Identifier: Apache-2.0
/** What real HTTP clients do, through Hitch and Balance: curl's ways of asking, long-lived streams across reloads, a rollout under load. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { Evener } from "./lib/evener.ts";
import { makeEndpoints, makeIngress, makeSecret, makeService } from "./lib/manifests.ts";

const run = promisify(execFile);
const ACROSS_RELOADS_MS = 60_000;

/** Echoes what it got as JSON; ranges, streams and upgrades on demand. */
async function startPod(t: TestContext) {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.on("upgrade", (_request: IncomingMessage, socket: Duplex) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let i = 0; !response.destroyed; i++) {
      response.write(`data: ${i}\n\n`);
      await sleep(100);
    }
    return;
  }
  if (request.url === "/range") {
    const [from = 0, to = 9] =
      /bytes=(\d+)-(\d+)/
        .exec(request.headers.range ?? "")
        ?.slice(1)
        .map(Number) ?? [];
    response.writeHead(206, { "content-range": `bytes ${from}-${to}/10` });
    response.end("0123456789".slice(from, to + 1));
    return;
  }
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  const { method, headers, httpVersion } = request;
  response.end(JSON.stringify({ method, headers, httpVersion, bytes, sha256: hash.digest("hex") }));
}

async function startSite(t: TestContext) {
  const port = await startPod(t);
  const pair = await makeKeyPair(["a.example"]);
  const objects = [makeService("a"), ...makeEndpoints("a", [port]), makeIngress("a", "a.example")];
  const evener = await Evener.start(t, { a: [...objects, makeSecret("a-tls", pair)] });
  return { evener, objects, port };
}

function curlArgs(evener: Evener, path: string, args: readonly string[]): string[] {
  const port = evener.httpsPort;
  const common = ["-sS", "-k", "--max-time", "60", "--resolve", `a.example:${port}:127.0.0.1`];
  return [...common, ...args, `https://a.example:${port}${path}`];
}

test("curl: HTTP/1.0 and 1.1, chunked upload, 100-continue, HEAD, range", async (t) => {
  const { evener } = await startSite(t);
  const curl = async (path: string, ...args: string[]) =>
    (await run("curl", curlArgs(evener, path, args))).stdout;
  const echo = async (...args: string[]) => JSON.parse(await curl("/", ...args)) as Record<string, unknown>;
  assert.equal((await echo("--http1.0")).httpVersion, "1.0");
  const plain = await echo();
  assert.equal(plain.httpVersion, "1.1");
  const headers = plain.headers as Record<string, string>;
  assert.equal(headers["x-forwarded-proto"], "https");
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
  assert.match(headers["x-request-id"] ?? "", /^[0-9a-f]{32}$/);
  const chunked = await echo("-H", "Transfer-Encoding: chunked", "--data-binary", "x".repeat(100_000));
  assert.deepEqual([chunked.method, chunked.bytes], ["POST", 100_000]);
  const dir = await mkdtemp(join(tmpdir(), "evener-body-"));
  t.after(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, "body"), "x".repeat(2_000_000));
  const expect = await curl("/", "-H", "Expect: 100-continue", "--data-binary", `@${join(dir, "body")}`);
  assert.equal(JSON.parse(expect).bytes, 2_000_000);
  assert.match(await curl("/", "--head"), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(await curl("/range", "--range", "2-5"), "2345");
});

test("1 GB up and down, intact; Balance keeps its memory", { timeout: 300_000 }, async (t) => {
  const { evener } = await startSite(t);
  const size = 1 << 30;
  const master = evener.childPid("balance");
  const rss = async () => {
    const { stdout } = await run("sh", [
      "-c",
      `cat /proc/$(pgrep -P ${master} | head -1)/status /proc/${master}/status`,
    ]);
    return [...stdout.matchAll(/VmRSS:\s+(\d+) kB/g)].reduce((sum, [, kb]) => sum + Number(kb), 0);
  };
  await run("curl", curlArgs(evener, "/", ["--data-binary", "x"]));
  const before = await rss();
  const upload = `head -c ${size} /dev/zero | curl ${curlArgs(evener, "/", ["-T", "-"]).join(" ")}`;
  const { stdout } = await run("sh", ["-c", upload], { maxBuffer: 1 << 20 });
  assert.equal(JSON.parse(stdout).bytes, size);
  assert.ok((await rss()) - before < 10 * 1024, `${before} KB before, ${await rss()} KB after`);
});

/** Sends a line every 50 ms through an upgraded connection and waits for its echo. */
async function chat(evener: Evener, until: () => boolean): Promise<number> {
  const socket = connect({
    host: "127.0.0.1",
    port: evener.httpsPort,
    servername: "a.example",
    rejectUnauthorized: false,
  });
  let received = "";
  let failed: Error | undefined;
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  socket.on("error", (error) => {
    failed = error;
  });
  socket.on("close", () => {
    failed ??= new Error("closed");
  });
  await once(socket, "secureConnect");
  socket.write("GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await eventually("the upgrade", () => received.includes("101 Switching Protocols"));
  let count = 0;
  for (; !until(); count++) {
    received = "";
    socket.write(`message ${count}\n`);
    await eventually("the echo", () => {
      if (failed !== undefined) throw failed;
      return received === `message ${count}\n`;
    });
    await sleep(50);
  }
  socket.destroy();
  return count;
}

async function readEvents(evener: Evener, until: () => boolean): Promise<number> {
  const child = execFile("curl", curlArgs(evener, "/events", ["--no-buffer", "--max-time", "120"]));
  let text = "";
  let exit: number | null = null;
  child.stdout?.on("data", (chunk) => {
    text += chunk.toString();
  });
  child.once("exit", (code) => {
    exit = code ?? -1;
  });
  const count = () => text.split("\n\n").length - 1;
  while (!until()) {
    const seen = count();
    await eventually("the next event", () => count() > seen || exit !== null);
    assert.equal(exit, null, "the stream ended");
  }
  child.kill();
  const numbers = [...text.matchAll(/data: (\d+)\n\n/g)].map(([, n]) => Number(n));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i),
    "events are missing or out of order",
  );
  return numbers.length;
}

test("a WebSocket-like echo and an event stream go on for a minute, across reloads of both", {
  timeout: 180_000,
}, async (t) => {
  const { evener, objects, port } = await startSite(t);
  const other = await startBackend(t, "other");
  const end = Date.now() + ACROSS_RELOADS_MS;
  const until = () => Date.now() > end;
  const streams = Promise.all([chat(evener, until), readEvents(evener, until)]);
  for (let i = 0; !until(); i++) {
    const ports = i % 2 === 0 ? [port, other.port] : [port];
    await evener.put("a", [
      ...objects.filter(({ kind }) => kind !== "EndpointSlice"),
      ...makeEndpoints("a", ports),
      makeSecret("a-tls", await makeKeyPair(["a.example"])),
    ]);
    await sleep(Math.min(5000, Math.max(0, end - Date.now())));
  }
  const [messages, events] = await streams;
  assert.ok(messages > 100 && events > 100, `${messages} messages, ${events} events`);
  assert.ok(evener.countReloads("hitch") > 3 && evener.countReloads("balance") > 3);
});

test("a rollout under load: every endpoint replaced, one by one; no request fails", {
  timeout: 120_000,
}, async (t) => {
  const old = await Promise.all([1, 2, 3, 4].map((i) => startBackend(t, `old ${i}`)));
  const young = await Promise.all([1, 2, 3, 4].map((i) => startBackend(t, `new ${i}`)));
  const pair = await makeKeyPair(["a.example"]);
  const site = (ports: readonly number[]) => [
    makeService("a"),
    ...makeEndpoints("a", ports),
    makeIngress("a", "a.example"),
  ];
  const evener = await Evener.start(t, {
    a: site(old.map(({ port }) => port)),
    tls: [makeSecret("a-tls", pair)],
  });
  const load = run("wrk", [
    "-t1",
    "-c20",
    "-d15s",
    "-H",
    "Host: a.example",
    `https://127.0.0.1:${evener.httpsPort}/`,
  ]);
  const pods = [...old];
  for (const [i, pod] of young.entries()) {
    await sleep(2000);
    const leaving = pods[i];
    pods[i] = pod;
    const seen = evener.log.length;
    await evener.put("a", site(pods.map(({ port }) => port)));
    await evener.waitLog(
      "the change",
      ({ msg, child }) => msg === "configuration live" && child === "balance",
      seen,
    );
    // A pod is asked to end after it was taken out; it lets go of idle connections and finishes what it has.
    await leaving?.retire();
  }
  const { stdout } = await load;
  assert.doesNotMatch(stdout, /Non-2xx|Socket errors/, stdout);
  const done = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  assert.ok(done > 1000, stdout);
  assert.ok(young.every((pod) => pod.requests() > 0));
  assert.equal(await evener.metric('evener_http_requests_total{code="502"}'), 0);
});
