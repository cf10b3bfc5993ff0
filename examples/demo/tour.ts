// SPDX-License-Identifier: Apache-2.0
/** What the demo shows, with the commands to see it oneself. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import type { Backend } from "./backends.ts";
import type { World } from "./world.ts";

const run = promisify(execFile);
const say = (line = "") => process.stdout.write(`${line}\n`);

export async function showHosts(world: World): Promise<void> {
  say("\nTwo hosts over HTTPS, each with its own certificate and backend:");
  for (const host of ["a.example", "b.example"]) {
    say(`  $ ${curlLine(world, host)}`);
    say(`  ${await fetchHost(world, host)}`);
  }
  say("\nThe default backend, on the plain port:");
  const args = ["--silent", "--show-error", "--max-time", "5", `http://127.0.0.1:${world.httpPort}/`];
  say(`  $ curl http://127.0.0.1:${world.httpPort}/`);
  say(`  ${(await run("curl", args)).stdout.trim()}`);
}

/** A connection that is open during the rotation goes on; only Hitch reloads. */
export async function showRotation(world: World): Promise<void> {
  say("\nA certificate rotation: the Secret of a.example is written anew.");
  const open = connect({
    host: "127.0.0.1",
    port: world.httpsPort,
    servername: "a.example",
    rejectUnauthorized: false,
  });
  await once(open, "secureConnect");
  const before = await readSerial(world, "a.example");
  const reloads = await countHitchReloads(world);
  const started = Date.now();
  await world.writeSecret("a.example");
  const after = await waitForChange(() => readSerial(world, "a.example"), before);
  say(`  serial before  ${before}`);
  say(`  serial after   ${after}   (${Date.now() - started} ms later)`);
  // Evener counts a reload when it has been verified, which is a little after its first effect.
  await waitForChange(() => countHitchReloads(world), reloads);
  open.write("GET /still-here HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  const [chunk] = (await once(open, "data")) as [Buffer];
  open.destroy();
  say(
    `  the connection opened before it: ${chunk.toString().split("\r\n\r\n")[1]?.trim() || chunk.toString()}`,
  );
}

/** An endpoint change never touches Hitch. */
export async function showEndpointChange(world: World, from: Backend, to: Backend): Promise<void> {
  say(`\nAn endpoint change: the pod of echo-a moves from port ${from.port} to ${to.port}.`);
  const hitchReloads = () =>
    world.metric('evener_reloads_total{child="hitch",reason="certificates",result="ok"}');
  const reloads = await hitchReloads();
  const before = await fetchHost(world, "a.example");
  const started = Date.now();
  await world.moveEndpoint(from.port, to.port);
  const after = await waitForChange(() => fetchHost(world, "a.example"), before);
  say(`  before  ${before}`);
  say(`  after   ${after}   (${Date.now() - started} ms later)`);
  say(`  reloads of Hitch for it: ${(await countHitchReloads(world)) - reloads}`);
}

export function curlLine(world: World, host: string): string {
  const resolve = `--resolve ${host}:${world.httpsPort}:127.0.0.1`;
  return `curl --cacert ${world.caFile} ${resolve} https://${host}:${world.httpsPort}/`;
}

async function fetchHost(world: World, host: string): Promise<string> {
  const args = ["--silent", "--show-error", "--max-time", "5", ...curlLine(world, host).split(" ").slice(1)];
  return (await run("curl", args)).stdout.trim();
}

async function readSerial(world: World, host: string): Promise<string> {
  const socket = connect({
    host: "127.0.0.1",
    port: world.httpsPort,
    servername: host,
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

function countHitchReloads(world: World): Promise<number> {
  return world.metric('evener_reloads_total{child="hitch",reason="certificates",result="ok"}');
}

async function waitForChange<T>(read: () => Promise<T>, before: T): Promise<T> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const now = await read();
    if (now !== before) return now;
    await sleep(20);
  }
  throw new Error(`nothing changed within 15 s; it is still ${before}`);
}
