// SPDX-License-Identifier: Apache-2.0
/** What goes through Hitch comes out as it went in, in whatever pieces it is written and however slowly it is read: nothing stalls. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectPlain, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { connect, type SecureVersion } from "node:tls";
import { freePort } from "../balance/lib/net.ts";
import { makeKeyPair } from "../fixtures/certificates.ts";
import { eventually } from "../fixtures/eventually.ts";
import { seededRandom } from "../golden/cases.ts";
import { HITCH, skipWithoutDataPlane } from "../helpers/data-plane.ts";

const skip = skipWithoutDataPlane();
const CONNECTIONS = 24;
const BYTES = 3_000_000;
const LARGEST = 60_000;

/** Reads in fits and starts. */
function dawdle(socket: Socket, random: () => number): void {
  socket.on("data", () => {
    if (random() > 0.05) return;
    socket.pause();
    setTimeout(() => socket.resume(), random() * 20);
  });
}

async function startHitch(t: TestContext, backend: string): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), "evener-streams-"));
  const [port, { cert, key }] = [await freePort(), await makeKeyPair(["a.example"])];
  await writeFile(join(dir, "a.pem"), `${key}${cert}`);
  const conf = [
    `frontend = { host = "127.0.0.1" port = "${port}" }`,
    `backend = "${backend}"`,
    `pem-file = "${join(dir, "a.pem")}"`,
    `ocsp-dir = "/dev/null/none"`,
    "workers = 2\ndaemon = off\nlog-level = 0",
    // It refuses to run its workers as root.
    ...(process.getuid?.() === 0 ? ['user = "nobody"'] : []),
  ];
  await writeFile(join(dir, "hitch.conf"), `${conf.join("\n")}\n`);
  const child = spawn(HITCH, [`--config=${join(dir, "hitch.conf")}`], { stdio: "ignore" });
  t.after(async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(dir, { recursive: true });
  });
  await eventually("Hitch to listen", async () => {
    const socket = connectPlain(port, "127.0.0.1");
    const [event] = await Promise.race([
      once(socket, "connect").then(() => ["up"]),
      once(socket, "error").then(() => ["down"]),
    ]);
    socket.destroy();
    return event === "up";
  });
  return port;
}

/** Sends bytes that the seed makes up, and compares what an echo sends back. */
async function exchange(port: number, seed: number, version: SecureVersion): Promise<void> {
  const random = seededRandom(seed);
  const socket = connect({
    port,
    host: "127.0.0.1",
    servername: "a.example",
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
  });
  await once(socket, "secureConnect");
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  let back = 0;
  const all = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${back} bytes`)));
    socket.on("data", (chunk) => {
      received.update(chunk);
      back += chunk.length;
      if (back === BYTES) resolve();
    });
  });
  dawdle(socket, random);
  for (let left = BYTES; left > 0; ) {
    const n = Math.min(left, 1 + Math.floor(random() ** 3 * LARGEST));
    const chunk = Buffer.alloc(n, Math.floor(random() * 256));
    left -= n;
    sent.update(chunk);
    if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), all]);
    if (random() < 0.05) await wait(random() * 10);
    else if (random() < 0.3) await turn();
  }
  await all;
  socket.destroy();
  assert.equal(received.digest("hex"), sent.digest("hex"));
}

for (const kind of ["a Unix socket", "TCP"] as const) {
  test(`an echo behind ${kind}, slow on both sides`, { skip, timeout: 60_000 }, async (t) => {
    const random = seededRandom(7);
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      dawdle(socket, random);
      socket.pipe(socket);
    });
    const dir = await mkdtemp(join(tmpdir(), "evener-echo-"));
    const path = join(dir, "echo.sock");
    if (kind === "TCP") server.listen(0, "127.0.0.1");
    else server.listen(path);
    await once(server, "listening");
    if (kind !== "TCP") await Promise.all([chmod(dir, 0o755), chmod(path, 0o777)]);
    const address = server.address();
    t.after(async () => {
      server.close();
      await rm(dir, { recursive: true });
    });
    const backend = typeof address === "object" && address !== null ? `[127.0.0.1]:${address.port}` : path;
    const port = await startHitch(t, backend);
    await Promise.all(
      Array.from({ length: CONNECTIONS }, (_, i) =>
        exchange(port, i + 1, i % 2 === 0 ? "TLSv1.3" : "TLSv1.2"),
      ),
    );
  });
}

test("a pod that answers and closes at once: a slow reader gets all of it", {
  skip,
  timeout: 60_000,
}, async (t) => {
  const body = Buffer.alloc(BYTES, "evener");
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const port = await startHitch(t, `[127.0.0.1]:${address.port}`);
  const read = async (seed: number) => {
    const socket = connect({ port, host: "127.0.0.1", servername: "a.example", rejectUnauthorized: false });
    const hash = createHash("sha256");
    socket.on("data", (chunk) => hash.update(chunk));
    dawdle(socket, seededRandom(seed));
    await once(socket, "end");
    socket.destroy();
    return hash.digest("hex");
  };
  const wanted = createHash("sha256").update(body).digest("hex");
  const got = await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => read(i + 1)));
  assert.deepEqual(new Set(got), new Set([wanted]));
});
