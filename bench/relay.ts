// SPDX-License-Identifier: Apache-2.0
/** Many relayed connections in the TCP lane: memory per connection, and CPU per relayed megabyte while all of them are there; beside haproxy in TCP
 * mode, one after the other in one run. `make bench-relay`; CONNECTIONS, MEGABYTES and ROUNDS change its size.
 *
 * Memory is the proportional share (Pss, proc(5)) of all the relay's processes, of which the kernel's share, the sockets themselves, is no
 * part: it is the same for all. It is taken when each connection has carried a byte both ways and rests again. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { median, spread } from "./lib/figures.ts";
import type { Command } from "./lib/relay-load.ts";
import { type RelayPeer, relayPeers } from "./lib/relay-peers.ts";
import { cpuSeconds, listTree, memoryBytes } from "./lib/usage.ts";

const CONNECTIONS = Number(process.env.CONNECTIONS ?? 20_000);
const MEGABYTES = Number(process.env.MEGABYTES ?? 1024);
const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** Processes on either side, and connections that carry the bulk. */
const LOADERS = 4;
const STREAMS = 4;

const dir = mkdtempSync(join(tmpdir(), "evener-relay-"));
const children: ChildProcess[] = [];

function load(role: "backend" | "client"): ChildProcess {
  const child = fork(join(import.meta.dirname, "lib/relay-load.ts"), [role]);
  children.push(child);
  return child;
}

async function tell(child: ChildProcess, command: Command): Promise<void> {
  child.send(command);
  const [answer] = await once(child, "message");
  if (answer !== "done") throw new Error(String(answer));
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const socket = net.connect(port, "127.0.0.1");
    const [event] = await Promise.race([once(socket, "connect").then(() => ["up"]), once(socket, "error")]);
    socket.destroy();
    if (event === "up") return;
    await sleep(50);
  }
  throw new Error(`nobody listens on port ${port}`);
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function measure(peer: RelayPeer, clients: readonly ChildProcess[]): Promise<string> {
  const relays = peer.commands.map(([command, ...args]) =>
    spawn(command, args, { stdio: ["ignore", "ignore", "ignore"] }),
  );
  children.push(...relays);
  const pids = relays.map(({ pid }) => pid as number);
  await listening(peer.port);
  await sleep(500);
  const before = memoryBytes(pids);
  const share = Math.ceil(CONNECTIONS / clients.length);
  await Promise.all(
    clients.map((client, i) =>
      tell(client, { do: "open", port: peer.port, from: `127.0.0.${i + 2}`, count: share }),
    ),
  );
  await Promise.all(clients.map((client) => tell(client, { do: "ping" })));
  await sleep(1000);
  const each = (memoryBytes(pids) - before) / (share * clients.length);
  const cpu: number[] = [];
  const rates: number[] = [];
  const bytes = Math.ceil((MEGABYTES * 1e6) / STREAMS);
  for (let round = 0; round < ROUNDS; round++) {
    const [started, used] = [Date.now(), cpuSeconds(pids)];
    await tell(clients[0] as ChildProcess, { do: "bulk", connections: STREAMS, bytes });
    cpu.push(((cpuSeconds(pids) - used) * 1e6) / MEGABYTES);
    rates.push((MEGABYTES * 1000) / (Date.now() - started));
  }
  await Promise.all(clients.map((client) => tell(client, { do: "close" })));
  for (const pid of listTree(pids)) process.kill(pid, "SIGKILL");
  await Promise.all(
    relays.map(async (relay) => relay.exitCode ?? relay.signalCode ?? (await once(relay, "exit"))),
  );
  return `| ${peer.name} | ${each.toFixed(0)} | ${median(cpu).toFixed(0)} (${spread(cpu)}) | ${median(rates).toFixed(0)} |`;
}

async function main(): Promise<void> {
  const backends = Array.from({ length: LOADERS }, () => load("backend"));
  const ports = await Promise.all(backends.map(async (child) => (await once(child, "message"))[0] as number));
  const clients = Array.from({ length: LOADERS }, () => load("client"));
  await Promise.all(clients.map((child) => once(child, "message")));
  const listen = await Promise.all([1, 2, 3].map(freePort));
  const peers = relayPeers({
    dir,
    balance: resolve("dist/bin/balance"),
    backends: ports,
    connections: CONNECTIONS,
    port: (nth) => listen[nth] as number,
    write: writeFileSync,
  });
  console.log(
    `| ${CONNECTIONS} relayed connections | bytes of memory each | CPU µs per MB (median, spread of ${ROUNDS} rounds) | MB/s |`,
  );
  console.log("|---|---|---|---|");
  for (const peer of peers) console.log(await measure(peer, clients));
}

try {
  await main();
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
}
