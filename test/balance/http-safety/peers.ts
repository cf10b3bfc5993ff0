// SPDX-License-Identifier: Apache-2.0
// nginx and haproxy with the settings of an ordinary ingress, for comparison only; where they are not installed there is none.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "../http-lib/balance.ts";
import { until } from "../lib/until.ts";
import { type Lane, startBackends } from "./send.ts";

export interface Peer {
  name: string;
  version: string;
  lanes: Lane[];
}

const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/usr/local/sbin`;

function versionOf(program: string): string | undefined {
  try {
    const text = execFileSync("sh", ["-c", `${program} -v 2>&1`], { env: { PATH }, encoding: "utf8" });
    return /\d+\.\d+\.\d+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

function nginxConf(dir: string, lanes: Lane[]): string {
  const servers = lanes.map(
    (lane) =>
      `server { listen 127.0.0.1:${lane.port}; location / { proxy_pass http://127.0.0.1:${lane.backend.port}; ` +
      "proxy_http_version 1.1; proxy_set_header Host $http_host; } }",
  );
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${dir}/${n};`);
  return (
    `daemon off; master_process off; pid ${dir}/pid; error_log stderr crit;\nevents {}\n` +
    `http { access_log off; client_header_timeout 1s; client_body_timeout 1s;\n${temp.join("\n")}\n${servers.join("\n")}\n}\n`
  );
}

function haproxyConf(_dir: string, lanes: Lane[]): string {
  const parts = lanes.map(
    (lane, i) =>
      `frontend f${i}\n bind 127.0.0.1:${lane.port}\n default_backend b${i}\n` +
      `backend b${i}\n server s 127.0.0.1:${lane.backend.port}\n`,
  );
  return (
    "defaults\n mode http\n timeout client 2s\n timeout server 2s\n timeout connect 2s\n timeout http-request 1s\n" +
    ` timeout queue 2s\n option forwardfor\n${parts.join("")}`
  );
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("close", () => resolve());
    child.kill("SIGKILL");
  });
}

async function start(
  t: TestContext,
  name: string,
  conf: (dir: string, lanes: Lane[]) => string,
  args: (file: string, dir: string) => string[],
): Promise<Peer | undefined> {
  const version = versionOf(name);
  if (version === undefined) return undefined;
  const backends = await startBackends(t);
  const lanes = await Promise.all(backends.map(async (backend) => ({ port: await freePort(), backend })));
  const dir = await mkdtemp(join(tmpdir(), `${name}-`));
  const file = join(dir, "conf");
  await writeFile(file, conf(dir, lanes));
  const child = spawn(name, args(file, dir), { stdio: "ignore", env: { PATH } });
  t.after(async () => {
    await stop(child);
    await rm(dir, { recursive: true, force: true });
  });
  child.on("error", () => {});
  const port = lanes[0]?.port ?? 0;
  const listens = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
  const up = await until(`${name} listens`, listens, 5000).then(
    () => true,
    () => false,
  );
  return up ? { name, version, lanes } : undefined;
}

export async function startPeers(t: TestContext): Promise<Peer[]> {
  const peers = [
    await start(t, "nginx", nginxConf, (file, dir) => ["-c", file, "-p", dir]),
    await start(t, "haproxy", haproxyConf, (file) => ["-db", "-q", "-f", file]),
  ];
  return peers.filter((p) => p !== undefined);
}
