// SPDX-License-Identifier: Apache-2.0
// Runs Balance for a test: own directory, own process, its log shown when the test fails.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { until } from "./until.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/** The sanitized build when there is one (make test-balance), the product otherwise or when asked for. */
export function program(shipped = false): string {
  const found = (
    shipped ? ["dist/bin/balance"] : [process.env.BALANCE, "dist/test/balance", "dist/bin/balance"]
  )
    .filter((file) => file !== undefined && file !== "")
    .map((file) => path.resolve(root, file as string))
    .find((file) => existsSync(file));
  assert.ok(found, "no Balance to test: make test-balance or make dataplane builds one");
  return found;
}

export interface Channel {
  channel: string;
  max: number;
  weight: number;
  enabled: boolean;
  state: string;
  ejections: number;
  active: number;
  total: number;
  failed: number;
  bytes_in: number;
  bytes_out: number;
}

export interface Pool {
  pool: string;
  places?: number;
  queued?: number;
  limited?: number;
  queue_timeouts?: number;
  groups?: { mode: string; channels: Channel[] }[];
  draining?: Channel[];
  lb?: string;
}

export interface Status {
  ok: boolean;
  generation: number;
  hash: string;
  pid: number;
  draining: boolean;
  workers: { pid: number; generation: number; connections: number; restarts: number }[];
  checker?: { pid: number; restarts: number };
  listeners: Record<string, string | number>[];
  reloads: { ok: number; failed: number };
  last_error: string | null;
}

/** One command on a connection of its own; all lines of the answer. */
export async function ask(socketPath: string, command: string): Promise<Record<string, unknown>[]> {
  const socket = net.connect(socketPath);
  let text = "";
  try {
    socket.write(`${command}\n`);
    for await (const chunk of socket) {
      text += chunk;
      if (/^\{.*"ok":.*\n$/m.test(text) && text.endsWith("\n")) {
        const lines = text.trimEnd().split("\n");
        if ((lines.at(-1) ?? "").includes('"ok":')) return lines.map((line) => JSON.parse(line));
      }
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`control socket closed after: ${text}`);
}

export class Balance {
  readonly dir = mkdtempSync(path.join(tmpdir(), "balance-"));
  readonly file = path.join(this.dir, "balance.conf");
  readonly control = path.join(this.dir, "c.sock");
  child!: ChildProcess;
  log = "";

  private readonly prefix: string[];
  private readonly shipped: boolean;

  constructor(prefix: string[] = [], shipped = false) {
    this.prefix = prefix;
    this.shipped = shipped;
  }

  /** Writes the file; the control socket is added. */
  write(conf: string): void {
    writeFileSync(this.file, `control unix:${this.control}\n${conf}\n`);
  }

  spawn(args = ["--config", this.file]): ChildProcess {
    const [command, ...rest] = [...this.prefix, program(this.shipped), ...args] as [string, ...string[]];
    const env = {
      ...process.env,
      ASAN_OPTIONS: "abort_on_error=0:exitcode=99",
      UBSAN_OPTIONS: "print_stacktrace=1",
    };
    const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], env });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.log += text;
    });
    this.child = child;
    return child;
  }

  async started(): Promise<void> {
    await until(
      "Balance answers",
      async () => {
        assert.equal(this.child.exitCode, null, `Balance ended:\n${this.log}`);
        return (await this.status()).ok;
      },
      10_000,
    );
  }

  async status(): Promise<Status> {
    return (await ask(this.control, "status"))[0] as unknown as Status;
  }

  async pools(): Promise<Pool[]> {
    return (await ask(this.control, "pools")).slice(0, -1) as unknown as Pool[];
  }

  /** A pool that is in force. */
  async pool(name: string): Promise<Pool> {
    const found = (await this.pools()).find((p) => p.pool === name && p.groups);
    assert.ok(found, `no pool ${name}`);
    return found;
  }

  /** The channels of a pool that are in force, group after group. */
  async channels(pool: string): Promise<Channel[]> {
    const all = await this.pools();
    return all
      .filter((p) => p.pool === pool && p.groups)
      .flatMap((p) => p.groups?.flatMap((g) => g.channels) ?? []);
  }

  async listener(name: string): Promise<Record<string, number>> {
    const found = (await this.status()).listeners.find((l) => l.name === name);
    assert.ok(found, `no listener ${name}`);
    return found as Record<string, number>;
  }

  async reload(conf?: string): Promise<Record<string, unknown>> {
    if (conf !== undefined) this.write(conf);
    return (await ask(this.control, "reload"))[0] ?? {};
  }

  /** What it logs comes through a pipe, later than what it answers. */
  async logged(line: RegExp): Promise<void> {
    await until(`it logs ${line}`, () => line.test(this.log));
  }

  async workers(): Promise<number[]> {
    return (await this.status()).workers.map((w) => w.pid);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for the end of the master; null when a signal ended it. */
  async ended(): Promise<number | null> {
    await until("Balance ends", () => this.child.exitCode !== null || this.child.signalCode !== null, 60_000);
    return this.child.exitCode;
  }

  async stop(): Promise<void> {
    // Twice means at once; two that come together may count as one.
    await until(
      "Balance ends",
      () => {
        if (!this.child?.pid || this.child.exitCode !== null || this.child.signalCode !== null) return true;
        this.kill("SIGTERM");
        return false;
      },
      20_000,
    );
    rmSync(this.dir, { recursive: true, force: true });
    assert.doesNotMatch(this.log, /Sanitizer|runtime error/, this.log);
  }
}

/** A running Balance that ends with the test. */
export async function start(t: TestContext, conf: string, prefix: string[] = []): Promise<Balance> {
  const balance = new Balance(prefix);
  balance.write(conf);
  endWith(t, balance);
  balance.spawn();
  await balance.started();
  return balance;
}

export function endWith(t: TestContext, balance: Balance): void {
  t.after(async () => {
    if (!(t as { passed?: boolean }).passed && balance.log !== "")
      t.diagnostic(`log of Balance:\n${balance.log}`);
    await balance.stop();
  });
}

export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resident memory of a process in bytes. */
export function memory(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) * 1024;
}

export function alive(pid: number): boolean {
  try {
    // A zombie answers to a signal, yet it runs nothing any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
