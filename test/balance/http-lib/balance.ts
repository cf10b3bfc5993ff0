// SPDX-License-Identifier: Apache-2.0
// A real Balance for one test: its own directory, ephemeral ports, its log shown when the test fails.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../../fixtures/eventually.ts";

/** With sanitizers (`make test-balance`): what most tests run. */
const SANITIZED = fileURLToPath(new URL("../../../dist/test/balance", import.meta.url));
/** As shipped (`make dataplane`): what figures about memory mean something for. */
const SHIPPED = fileURLToPath(new URL("../../../dist/bin/balance", import.meta.url));

const program = (shipped: boolean): string => (!shipped && existsSync(SANITIZED) ? SANITIZED : SHIPPED);

/** For the `skip` option of a suite. */
export function skipWithoutBalance(): string | false {
  return existsSync(SHIPPED) || existsSync(SANITIZED)
    ? false
    : "needs dist/bin/balance or dist/test/balance: make dataplane balance-test-build";
}

/** The same for tests that need the program as shipped. */
export function skipWithoutShipped(): string | false {
  return existsSync(SHIPPED) ? false : "needs dist/bin/balance: make dataplane";
}

const taken = new Set<number>();

/** Nobody listens there now, and no other test of this process gets it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (address === null || typeof address === "string") throw new Error("no port");
    if (taken.has(address.port)) continue;
    taken.add(address.port);
    return address.port;
  }
}

export interface WorkerStatus {
  pid: number;
  connections: number;
  restarts: number;
}

export interface Status {
  generation: number;
  workers: WorkerStatus[];
  listeners: { name: string; accepted: number; active: number; proxy_errors: number }[];
  last_error: string | null;
}

export interface ChannelStatus {
  channel: string;
  active: number;
  total: number;
  failed: number;
  requests: number;
}

export interface PoolStatus {
  pool: string;
  http?: Record<string, number>;
  groups?: { channels: ChannelStatus[] }[];
  draining?: ChannelStatus[];
}

export interface Balance {
  readonly dir: string;
  readonly pid: number;
  /** Lines of a control command's answer, parsed. */
  control(command: string): Promise<unknown[]>;
  status(): Promise<Status>;
  pools(): Promise<PoolStatus[]>;
  /** Counters by status code. */
  codes(): Promise<Record<string, number>>;
  /** Replaces the configuration; rejects when Balance refuses it. */
  reload(conf: string): Promise<void>;
  /** Resident memory of master and workers together, in bytes. */
  resident(): Promise<number>;
  log(): string;
  stop(): Promise<number | null>;
}

async function ask(path: string, command: string): Promise<unknown[]> {
  const socket = connect(path);
  socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${command}`)));
  socket.write(`${command}\n`);
  let text = "";
  for await (const chunk of socket) {
    text += chunk;
    const lines = text.split("\n").filter((line) => line !== "");
    if (text.endsWith("\n") && lines.at(-1)?.includes('"ok":')) {
      socket.destroy();
      return lines.map((line) => JSON.parse(line));
    }
  }
  throw new Error(`control socket closed: ${text}`);
}

async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

async function stopChild(child: ChildProcess, exited: Promise<number | null>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  const code = await exited;
  clearTimeout(timer);
  return code;
}

export interface BalanceOptions {
  shipped?: boolean;
  workers?: number;
}

/** Starts Balance; workers, control socket and a short grace are added to the configuration. */
export async function startBalance(
  t: TestContext,
  conf: string,
  options: BalanceOptions = {},
): Promise<Balance> {
  const dir = await mkdtemp(join(tmpdir(), "balance-http-"));
  const file = join(dir, "balance.conf");
  const sock = join(dir, "control.sock");
  const whole = (text: string) =>
    `workers ${options.workers ?? 1}\ncontrol unix:${sock}\ngrace 1\n${text.replaceAll("@DIR@", dir)}`;
  await writeFile(file, whole(conf));
  const child = spawn(program(options.shipped ?? false), ["--config", file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0" },
  });
  let log = "";
  const keep = (chunk: Buffer) => {
    log += chunk.toString("latin1");
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  t.after(async () => {
    await stopChild(child, exited);
    await rm(dir, { recursive: true, force: true });
    // A sanitizer's report is a failure whatever the test was about. Thrown here, it would keep later hooks from running.
    const reported = /AddressSanitizer|runtime error:/.test(log);
    if (reported) process.exitCode = 1;
    // Known to Node, not yet to its types: set by now when the test has failed.
    const failed = (t as { error?: Error | null }).error != null;
    if (reported || failed) t.diagnostic(`Balance's log:\n${log}`);
  });
  const status = async () => (await ask(sock, "status"))[0] as Status;
  await eventually("Balance answers", async () => {
    if (child.exitCode !== null) throw new Error(`Balance left: ${log}`);
    return (await status()).generation >= 1;
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error("Balance did not start");
  return {
    dir,
    pid,
    control: (command) => ask(sock, command),
    status,
    pools: async () => (await ask(sock, "pools")).filter((l) => (l as PoolStatus).pool) as PoolStatus[],
    codes: async () => ((await ask(sock, "http"))[0] as { codes: Record<string, number> }).codes,
    async reload(text) {
      await writeFile(`${file}.new`, whole(text));
      await rename(`${file}.new`, file);
      const answer = (await ask(sock, "reload"))[0] as { ok: boolean; error?: string };
      if (!answer.ok) throw new Error(answer.error);
    },
    async resident() {
      const workers = (await status()).workers.map((w) => w.pid);
      const sizes = await Promise.all([pid, ...workers].map(residentOf));
      return sizes.reduce((a, b) => a + b, 0);
    },
    log: () => log,
    stop: () => stopChild(child, exited),
  };
}
