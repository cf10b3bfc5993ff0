// SPDX-License-Identifier: Apache-2.0
/** Starts Evener with real children on free loopback ports, and leaves its log behind when a test fails. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type BalanceClient, createBalanceClient } from "../../src/balance-client/client.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { ingressClass, type Manifest } from "./manifests.ts";
import { findFreePorts } from "./ports.ts";

const ROOT = join(import.meta.dirname, "../..");

export interface StartOptions {
  readonly args?: readonly string[];
  /** Another directory with `hitch` and `balance`. */
  readonly binDir?: string;
  /** The bundle in dist instead of the sources. */
  readonly product?: boolean;
  /** A command line to go before Evener's own. */
  readonly wrapper?: (runDir: string) => readonly string[];
  /** Not every test wants to wait. */
  readonly waitReady?: boolean;
}

export interface LogRecord {
  readonly msg: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

export class Evener {
  readonly runDir: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly healthPort: number;
  readonly log: LogRecord[] = [];
  readonly #dir: string;
  readonly #process: ChildProcess;

  private constructor(dir: string, ports: readonly number[], child: ChildProcess) {
    this.#dir = dir;
    this.runDir = join(dir, "run");
    const [http = 0, https = 0, health = 0] = ports;
    this.httpPort = http;
    this.httpsPort = https;
    this.healthPort = health;
    this.#process = child;
  }

  static async start(
    t: TestContext,
    manifests: Record<string, readonly Manifest[]>,
    options: StartOptions = {},
  ) {
    const dir = await mkdtemp(join(tmpdir(), "evener-e2e-"));
    // Run by root, the children are nobody, who has to come through here.
    await chmod(dir, 0o755);
    await mkdir(join(dir, "manifests"));
    const ports = await findFreePorts(3);
    const child = launch(dir, ports, options);
    const evener = new Evener(dir, ports, child);
    t.after(() => evener.#finish(t));
    evener.#readLog();
    for (const [file, objects] of Object.entries({ class: [ingressClass], ...manifests })) {
      await evener.put(file, objects);
    }
    if (options.waitReady !== false) await evener.waitReady();
    return evener;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get balance(): BalanceClient {
    return createBalanceClient(join(this.runDir, "control.sock"));
  }

  /** Replaces a file of manifests, as kubectl apply would replace its objects. */
  async put(file: string, objects: readonly Manifest[]): Promise<void> {
    await this.putText(`${file}.json`, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  }

  async putText(name: string, text: string): Promise<void> {
    const path = join(this.#dir, "manifests", name);
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.healthPort}${path}`);
    return { status: response.status, text: await response.text() };
  }

  async isReady(): Promise<boolean> {
    return (await this.get("/readyz").catch(() => ({ status: 0 }))).status === 200;
  }

  async waitReady(): Promise<void> {
    await eventually("ready, or ended", () => this.#process.exitCode !== null || this.isReady(), 20_000);
    if (this.#process.exitCode !== null)
      throw new Error(`Evener ended with status ${this.#process.exitCode}`);
  }

  /** Value of a sample; 0 when there is none. */
  async metric(sample: string): Promise<number> {
    const { text } = await this.get("/metrics");
    const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
    return Number(line?.slice(sample.length) ?? 0);
  }

  /** Pid of the running child, from the log. */
  childPid(name: string): number {
    const started = this.log.findLast((record) => record.msg === "child started" && record.child === name);
    return Number(started?.pid ?? 0);
  }

  countReloads(child: string): number {
    return this.log.filter((record) => record.msg === "configuration live" && record.child === child).length;
  }

  readRunFile(name: string): Promise<string> {
    return readFile(join(this.runDir, name), "utf8");
  }

  /** Waits for a log record that comes after the first `from` ones. */
  async waitLog(what: string, match: (record: LogRecord) => boolean, from = 0): Promise<LogRecord> {
    return eventually(what, () => this.log.slice(from).find(match), 20_000);
  }

  /** SIGTERM by default; resolves to the exit status. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const exited = this.waitExit();
    this.#process.kill(signal);
    return exited;
  }

  async waitExit(): Promise<number | null> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) await once(this.#process, "exit");
    return this.#process.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  #readLog(): void {
    let rest = "";
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.log.push(parseRecord(line));
    });
  }

  async #finish(t: TestContext): Promise<void> {
    const timer = setTimeout(() => this.#process.kill("SIGINT"), 15_000);
    await this.stop();
    clearTimeout(timer);
    // The types do not know `passed` yet.
    const { passed } = t as unknown as { passed: boolean };
    if (!passed) for (const record of this.log) t.diagnostic(JSON.stringify(record));
    await rm(this.#dir, { recursive: true, force: true });
  }
}

function launch(dir: string, ports: readonly number[], options: StartOptions): ChildProcess {
  const [http = 0, https = 0, health = 0] = ports;
  const runDir = join(dir, "run");
  const main = options.product
    ? [join(ROOT, "dist/bin/evener"), "run"]
    : [process.execPath, join(import.meta.dirname, "run-with-bin-dir.ts")];
  const [file = "", ...args] = [
    ...(options.wrapper?.(runDir) ?? []),
    ...main,
    ...["--source", `dir:${join(dir, "manifests")}`, "--run-dir", runDir],
    ...["--http-port", String(http), "--https-port", String(https), "--healthz-port", String(health)],
    ...["--workers", "2", "--shutdown-grace-period", "5"],
    ...(options.args ?? []),
  ];
  const env = { ...process.env, EVENER_TEST_BIN_DIR: options.binDir ?? join(ROOT, "dist/bin") };
  // It ends with the test's process, however that ends (prctl(2), PR_SET_PDEATHSIG).
  const last = ["--pdeathsig", "TERM", file, ...args];
  return spawn("setpriv", last, { stdio: ["ignore", "inherit", "pipe"], env });
}

function parseRecord(line: string): LogRecord {
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return { level: "raw", msg: line };
  }
}
