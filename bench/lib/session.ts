// SPDX-License-Identifier: Apache-2.0
/** A directory and the processes of one benchmark run; whatever happens, both are gone afterwards. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 60_000;

export class Session {
  readonly dir = mkdtempSync(join(tmpdir(), "evener-bench-"));
  readonly #children: ChildProcess[] = [];

  constructor() {
    // The proxies do without root and have to read their files.
    chmodSync(this.dir, 0o755);
  }

  write(name: string, text: string): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  start(program: string, args: readonly string[], env: Record<string, string> = {}): number {
    const child = spawn(program, args, {
      cwd: this.dir,
      stdio: "ignore",
      env: { ...process.env, HOME: this.dir, ...env },
    });
    this.#children.push(child);
    if (child.pid === undefined) throw new Error(`${program} does not start`);
    return child.pid;
  }

  /** For whoever is about to measure: a program that found its port taken would be measured as doing nothing. */
  failIfEnded(): void {
    const ended = this.#children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
    if (ended !== undefined) throw new Error(`has ended: ${ended.spawnargs.join(" ")}`);
  }

  async stop(pid: number): Promise<void> {
    const child = this.#children.find((one) => one.pid === pid);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await Promise.race([exit, sleep(3000)]);
    child.kill("SIGKILL");
    await exit;
  }

  async end(): Promise<void> {
    for (const { pid } of this.#children.reverse()) if (pid !== undefined) await this.stop(pid);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Fails when somebody listens there already. */
export async function assertPortFree(port: number): Promise<void> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
  await once(server, "close");
}

/** Until somebody accepts there. Returns how long that took, in milliseconds. */
export async function waitForPort(port: number): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1")
        .once("connect", () => resolve(true))
        .once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return performance.now() - start;
    await sleep(10);
  }
  throw new Error(`nothing listens on port ${port}`);
}

export function hasProgram(name: string): boolean {
  try {
    execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
