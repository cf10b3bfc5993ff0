// SPDX-License-Identifier: Apache-2.0
/** What the demo runs on: a copy of examples/, backends, generated TLS Secrets, and Evener itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateSelfSigned } from "../../src/apply/self-signed.ts";
import { type Backend, findPort, startBackend } from "./backends.ts";

const EXAMPLES = join(import.meta.dirname, "..");
const DIST = join(EXAMPLES, "../dist");

export class World {
  readonly dir: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly healthPort: number;
  readonly #backends: Backend[] = [];
  #evener: ChildProcess | undefined;
  #stopped = false;

  private constructor(dir: string, ports: readonly number[]) {
    this.dir = dir;
    const [http = 0, https = 0, health = 0] = ports;
    this.httpPort = http;
    this.httpsPort = https;
    this.healthPort = health;
  }

  static async create(): Promise<World> {
    const dir = await mkdtemp(join(tmpdir(), "evener-demo-"));
    // When root runs this, Hitch and Balance run as nobody, who has to come through here.
    await chmod(dir, 0o755);
    await mkdir(join(dir, "manifests"));
    for (const name of await readdir(EXAMPLES)) {
      if (name.endsWith(".yaml")) await copyFile(join(EXAMPLES, name), join(dir, "manifests", name));
    }
    return new World(dir, [await findPort(8080), await findPort(8443), await findPort(10254)]);
  }

  get caFile(): string {
    return join(this.dir, "ca.pem");
  }

  get logFile(): string {
    return join(this.dir, "evener.log");
  }

  async startBackend(name: string, wantedPort: number): Promise<Backend> {
    const backend = await startBackend(name, wantedPort);
    this.#backends.push(backend);
    return backend;
  }

  /** Changes the EndpointSlice in services.yaml, as Kubernetes does when a pod goes and another one comes. */
  async moveEndpoint(from: number, to: number): Promise<void> {
    if (from === to) return;
    const path = join(this.dir, "manifests/services.yaml");
    const text = await readFile(path, "utf8");
    const moved = text
      .replace(`- port: ${from}\n`, `- port: ${to}\n`)
      .replace(`  port: ${from}\n`, `  port: ${to}\n`);
    if (moved === text) throw new Error(`no endpoint has the port ${from}`);
    await replaceFile(path, moved);
  }

  /** Writes a TLS Secret with a new key and certificate for this host. */
  async writeSecret(host: string): Promise<void> {
    const { key, cert } = await generateSelfSigned(host, [host], new Date(), 30);
    const encode = (text: string) => Buffer.from(text).toString("base64");
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `${host.replace(".", "-")}-tls`, namespace: "demo" },
      type: "kubernetes.io/tls",
      data: { "tls.crt": encode(cert), "tls.key": encode(key) },
    };
    // Each certificate is its own authority; the one before may still be checked by somebody.
    await writeFile(this.caFile, cert, { flag: "a" });
    await replaceFile(join(this.dir, "manifests", `${host}-tls.json`), JSON.stringify(secret, null, 2));
  }

  async startEvener(): Promise<void> {
    if (this.#stopped) return;
    const args = [
      ...["run", "--source", `dir:${join(this.dir, "manifests")}`, "--run-dir", join(this.dir, "run")],
      ...["--http-port", String(this.httpPort), "--https-port", String(this.httpsPort)],
      ...["--healthz-port", String(this.healthPort), "--log-format", "text", "--shutdown-grace-period", "3s"],
    ];
    // A process group of its own: Ctrl-C is for the demo, which then ends Evener in good order.
    const evener = spawn(join(DIST, "bin/evener"), args, {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    evener.once("error", () => undefined);
    evener.stderr?.pipe(createWriteStream(this.logFile));
    this.#evener = evener;
    while (!(await this.#isReady())) {
      if (evener.exitCode !== null || evener.pid === undefined) {
        throw new Error(`Evener did not start:\n${await readFile(this.logFile, "utf8").catch(() => "")}`);
      }
      await sleep(50);
    }
  }

  async metric(sample: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.healthPort}/metrics`);
    const line = (await response.text()).split("\n").find((one) => one.startsWith(`${sample} `));
    return Number(line?.slice(sample.length) ?? 0);
  }

  /** Ends everything that was started and removes everything that was written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const evener = this.#evener;
    if (evener?.pid !== undefined && evener.exitCode === null && evener.signalCode === null) {
      const exit = once(evener, "exit");
      evener.kill("SIGTERM");
      await exit;
    }
    for (const backend of this.#backends) backend.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.healthPort}/readyz`)).ok;
    } catch {
      return false;
    }
  }
}

/** In one step, so that nobody reads a half. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}
