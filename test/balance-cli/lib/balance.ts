// SPDX-License-Identifier: Apache-2.0
// Runs a `balance` the way a person does: by its arguments, known again by its port. Nothing here is particular to ours, so the suite runs
// against any program with this command line: BALANCE=/path make test-balance-cli.
//
// A case is named after the sentence it stands for. `manual:` a sentence of the manual page balance(1), 3.57, in our words;
// `convention:` something it is silent about and everybody relies on (getopt(3), sysexits(3), a shell's idea of input);
// `ours alone:` what Inlab's program does not have, skipped for every other.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import type { TestContext } from "node:test";
import { connect, freePort, readLine } from "../../balance/lib/net.ts";
import { until } from "../../balance/lib/until.ts";

const root = path.resolve(import.meta.dirname, "../../..");

export function program(): string {
  const found = [process.env.BALANCE, "dist/test/balance", "dist/bin/balance"]
    .filter((file) => file !== undefined && file !== "")
    .map((file) => path.resolve(root, file as string))
    .find((file) => existsSync(file));
  assert.ok(found, "no balance to test: BALANCE=/path, or make dataplane");
  return found;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

const env = { ...process.env, ASAN_OPTIONS: "abort_on_error=0:exitcode=99" };

/** Runs it to its end. A program that goes to the background has ended when the one that was started has. */
export async function run(args: string[], input = ""): Promise<Ended> {
  const child = spawn(program(), args, { stdio: ["pipe", "pipe", "pipe"], env });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  // `exit`, not `close`: something left in the background may hold the pipes.
  await new Promise((done) => child.once("exit", done));
  clearTimeout(timer);
  await new Promise((done) => setTimeout(done, 20));
  return { code: child.exitCode, signal: child.signalCode, out, err };
}

/** One row of `show`. */
export interface Row {
  group: number;
  type: string;
  channel: number;
  state: string;
  address: string;
  port: number;
  current: number;
  total: number;
  max: number;
  sent: number;
  received: number;
}

export class Instance {
  readonly port: number;
  child: ChildProcess | undefined;
  out = "";
  err = "";
  private readonly bind: string[];
  /** How the port is written on the command line. */
  private readonly portText: string;

  constructor(port: number, bind: string[] = [], portText = String(port)) {
    this.port = port;
    this.bind = bind;
    this.portText = portText;
  }

  /** In the foreground, so that it ends with the test whatever happens. */
  async start(options: string[], channels: string[]): Promise<void> {
    const args = [...this.bind, ...options, "-f", this.portText, ...channels];
    this.child = spawn(program(), args, { stdio: ["ignore", "pipe", "pipe"], env });
    this.child.stdout?.setEncoding("utf8").on("data", (text) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.err += text;
    });
    await until("balance can be asked", async () => {
      assert.equal(this.child?.exitCode, null, `balance ended:\n${this.err}`);
      return (await this.command("version")).code === 0;
    });
  }

  command(text: string): Promise<Ended> {
    return run([...this.bind, "-c", text, this.portText]);
  }

  interactive(...lines: string[]): Promise<Ended> {
    return run([...this.bind, "-i", this.portText], `${lines.join("\n")}\n`);
  }

  async show(): Promise<Row[]> {
    const { out } = await this.command("show");
    return rows(out);
  }

  async row(group: number, channel: number): Promise<Row> {
    const found = (await this.show()).find((r) => r.group === group && r.channel === channel);
    assert.ok(found, `no channel ${channel} in group ${group}`);
    return found;
  }

  /** Which pod answers: its first line, or "" when the connection is closed. */
  async ask(from?: string): Promise<string> {
    return ask({ port: this.port, host: "127.0.0.1", localAddress: from });
  }

  async stop(): Promise<void> {
    if (this.child === undefined) return;
    await until("balance ends", () => {
      if (this.child?.exitCode !== null || this.child?.signalCode !== null) return true;
      this.child?.kill("SIGTERM");
      return false;
    });
    assert.doesNotMatch(this.err, /Sanitizer|runtime error/, this.err);
  }
}

/** The lines of `show` that tell of a channel; whatever stands before the group (a prompt, say) does not matter. */
export function rows(text: string): Row[] {
  const line =
    /(\d+)\s+(RR|Hash)\s+(\d+)\s+(ENA|dis)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/i;
  return text.split("\n").flatMap((one) => {
    const m = line.exec(one);
    if (m === null) return [];
    const number = (i: number): number => Number(m[i]);
    return [
      {
        group: number(1),
        type: (m[2] ?? "").toLowerCase(),
        channel: number(3),
        state: (m[4] ?? "").toLowerCase(),
        address: m[5] ?? "",
        port: number(6),
        current: number(7),
        total: number(8),
        max: number(9),
        sent: number(10),
        received: number(11),
      },
    ];
  });
}

export async function ask(options: net.TcpNetConnectOpts): Promise<string> {
  const socket = net.connect({ ...options, allowHalfOpen: true });
  socket.on("error", () => {});
  try {
    return await readLine(socket);
  } catch {
    return "";
  } finally {
    socket.destroy();
  }
}

/** A connection that stays open, with the line its pod said. */
export async function hold(t: TestContext, port: number): Promise<{ said: string; socket: net.Socket }> {
  const socket = connect(t, port);
  const said = await readLine(socket).catch(() => "");
  return { said, socket };
}

/** A running instance that ends with the test. */
export async function start(
  t: TestContext,
  options: string[],
  channels: string[],
  bind: string[] = ["-b", "127.0.0.1"],
): Promise<Instance> {
  const instance = new Instance(await freePort(), bind);
  t.after(async () => {
    if (!(t as { passed?: boolean }).passed) t.diagnostic(`${instance.err}\n${instance.out}`);
    await instance.stop();
  });
  await instance.start(options, channels);
  return instance;
}

/** The address of nobody: a port that was free a moment ago. */
export async function nobody(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}
