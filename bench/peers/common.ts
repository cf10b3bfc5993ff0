// SPDX-License-Identifier: Apache-2.0
/** What the peers of one run share: the pod behind them and the certificates. */

import { HOST } from "../lib/load.ts";
import { assertPortFree, type Session, waitForPort } from "../lib/session.ts";
import { DOWNLOAD_BYTES, POD } from "../scenarios/traffic.ts";
import { createPemMaker } from "./certificates.ts";
import { nginxPaths } from "./others.ts";
import type { Setup } from "./peer.ts";

/** Small answers, big ones, and a sink for uploads. */
export async function startPod(session: Session): Promise<void> {
  // Whoever else listens there, as another run, would get some of the connections.
  await assertPortFree(POD);
  session.write("www/download", "x".repeat(DOWNLOAD_BYTES));
  const conf = session.write(
    "pod.conf",
    `daemon off; worker_processes 1; worker_rlimit_nofile 16000; error_log /dev/null crit; pid ${session.dir}/pod.pid;
events { worker_connections 15000; }
http { access_log off; sendfile on; keepalive_requests 100000000; keepalive_timeout 300s; client_max_body_size 0;
client_body_buffer_size 11m;
${nginxPaths(session.dir, "pod")}
server { listen 127.0.0.1:${POD} backlog=4096;
location = / { return 200 "hello, world\\n"; }
location = /upload { proxy_pass http://127.0.0.1:${POD + 1}; }
location = /requests { stub_status; }
location = /download { root ${session.dir}/www; default_type application/octet-stream; } }
server { listen 127.0.0.1:${POD + 1}; location / { return 200 "taken\\n"; } } }
`,
  );
  session.start("nginx", ["-c", conf]);
  await waitForPort(POD);
}

export async function writePems(session: Session, n: number): Promise<{ pems: string[]; names: string[] }> {
  const maker = await createPemMaker();
  const names = [HOST, ...Array.from({ length: n - 1 }, (_, i) => `h${i + 1}.example`)];
  const pems: string[] = [];
  for (const [i, name] of names.entries()) {
    const { key, cert } = await maker.make(name);
    // haproxy takes a directory of such files, and nothing else in it.
    const base = i === 0 ? "default/a" : `many/${i}`;
    const apart = i === 0 ? base : `apart/${i}`;
    pems.push(session.write(`${base}.pem`, `${key}${cert}`));
    session.write(`${apart}.key`, key);
    session.write(`${apart}.crt`, cert);
  }
  return { pems, names };
}

interface Startable {
  readonly start: (setup: Setup) => Promise<{ readonly port: number }>;
}

/** Starts them one after the other, and waits until each accepts. */
export async function startAll<P extends Startable>(
  peers: readonly P[],
  setup: Setup,
): Promise<Map<P, Awaited<ReturnType<P["start"]>>>> {
  const running = new Map<P, Awaited<ReturnType<P["start"]>>>();
  for (const peer of peers) {
    const one = (await peer.start(setup)) as Awaited<ReturnType<P["start"]>>;
    await waitForPort(one.port);
    running.set(peer, one);
  }
  return running;
}
