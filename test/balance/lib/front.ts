// SPDX-License-Identifier: Apache-2.0
// Hitch before Balance, as shipped, whose workers join it (src/balance/guest.h).
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import type { TestContext } from "node:test";
import tls from "node:tls";
import { makeKeyPair } from "../../fixtures/certificates.ts";
import { Balance, endWith, type Status } from "./balance.ts";
import { freePort } from "./net.ts";
import { until } from "./until.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const isRoot = process.getuid?.() === 0;

export interface Guest {
  pid: number;
  generation: number;
  connections: number;
}

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface FrontOptions {
  guests?: number;
  /** Lines before the pools. */
  before?: string;
}

/** The HTTP lane has table `web`; `route` lines of listener `https` make others of the TCP lane. */
export class Front {
  readonly balance = new Balance([], true);
  readonly options: FrontOptions;
  hitch!: ChildProcess;
  log = "";
  /** Of TLS, of plain HTTP. */
  port = 0;
  plain = 0;

  constructor(options: FrontOptions) {
    this.options = options;
  }

  conf(lines: string): string {
    const dir = this.balance.dir;
    return `workers 1
guests ${this.options.guests ?? 4} unix:${dir}/guests
${(this.options.before ?? "").replaceAll("@DIR@", dir)}
listen https unix:${dir}/https proxy=v2 table=web
listen http tcp:127.0.0.1:${this.plain} table=web
${lines}`;
  }

  async startBalance(): Promise<void> {
    this.balance.spawn();
    await this.balance.started();
    for (const name of ["https", "guests"]) chmodSync(path.join(this.balance.dir, name), 0o666);
  }

  async startHitch(): Promise<void> {
    const dir = this.balance.dir;
    const { key, cert } = await makeKeyPair(["a.example"]);
    chmodSync(dir, 0o755);
    writeFileSync(path.join(dir, "pair.pem"), key + cert);
    const file = path.join(dir, "hitch.conf");
    writeFileSync(
      file,
      `frontend = {
  host = "127.0.0.1"
  port = "${this.port}"
}
backend = "${dir}/https"
workers = 1
daemon = off
quiet = on
${isRoot ? 'user = "nobody"' : ""}
write-proxy-v2 = on
proxy-tlv = on
alpn-protos = "http/1.1"
ocsp-dir = "/dev/null/none"
pem-file = "${dir}/pair.pem"
`,
    );
    const env = { ...process.env, BALANCE_JOIN: path.join(dir, "guests") };
    this.hitch = spawn(path.join(root, "dist/bin/hitch"), [`--config=${file}`], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.hitch.stderr?.setEncoding("utf8").on("data", (text) => {
      this.log += text;
    });
    // Not by a connection: with the first one its worker joins.
    await until("Hitch serves", () => /Process 0 online/.test(this.log));
  }

  async status(): Promise<Status & { guests: Guest[] }> {
    return (await this.balance.status()) as Status & { guests: Guest[] };
  }

  async guests(): Promise<Guest[]> {
    return (await this.status()).guests;
  }

  /** Clients come until a worker of Hitch other than these has joined. */
  async joined(but: readonly number[] = []): Promise<Guest> {
    let found: Guest | undefined;
    await until("a worker joins", async () => {
      await this.get("/").catch(() => undefined);
      found = (await this.guests()).find((guest) => !but.includes(guest.pid));
      return found !== undefined;
    });
    return found as Guest;
  }

  connect(t: TestContext, servername = "a.example"): tls.TLSSocket {
    const socket = tls.connect({ port: this.port, host: "127.0.0.1", servername, rejectUnauthorized: false });
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    return socket;
  }

  /** A request over TLS, or plain; without an agent on a connection of its own. */
  request(target: string, options: https.RequestOptions & { plain?: boolean } = {}): http.ClientRequest {
    const common = { host: "127.0.0.1", path: target, agent: false, ...options };
    if (options.plain) return http.request({ ...common, port: this.plain });
    return https.request({
      ...common,
      port: this.port,
      servername: "a.example",
      rejectUnauthorized: false,
      headers: { host: "a.example", ...options.headers },
    });
  }

  async get(
    target: string,
    options: https.RequestOptions & { plain?: boolean } = {},
    body?: Buffer,
  ): Promise<Reply> {
    const request = this.request(target, options);
    request.end(body);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    let text = "";
    for await (const chunk of response.setEncoding("latin1")) text += chunk;
    return { status: response.statusCode ?? 0, headers: response.headers, body: text };
  }

  async stop(): Promise<void> {
    if (this.hitch.exitCode !== null || this.hitch.signalCode !== null) return;
    this.hitch.kill("SIGTERM");
    await once(this.hitch, "exit");
  }
}

/** Both, running until the test ends. */
export async function startFront(t: TestContext, lines: string, options: FrontOptions = {}): Promise<Front> {
  const front = new Front(options);
  [front.port, front.plain] = [await freePort(), await freePort()];
  front.balance.write(front.conf(lines));
  // What was registered first ends first.
  t.after(async () => {
    await front.stop();
    if (!(t as { passed?: boolean }).passed) t.diagnostic(`log of Hitch:\n${front.log}`);
    assert.doesNotMatch(front.log, /core dumped|exited by signal 11|Segmentation/);
  });
  endWith(t, front.balance);
  await front.startBalance();
  await front.startHitch();
  return front;
}
