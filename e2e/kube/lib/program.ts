// SPDX-License-Identifier: Apache-2.0
/** A program of the control plane: started, its output kept in a file, ended by its own pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";

export class Program {
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
  }

  static async start(file: string, args: readonly string[], log: string): Promise<Program> {
    const output = await open(log, "a");
    const child = spawn(file, args, { stdio: ["ignore", output.fd, output.fd] });
    const program = new Program(child, log);
    // A test run that is killed leaves nothing behind.
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.removeListener("exit", end));
    await once(child, "spawn");
    await output.close();
    return program;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.ended) return;
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
  }

  /** Throws with the last lines of its log when it has ended. */
  async checkAlive(): Promise<void> {
    if (!this.ended) return;
    const lines = (await readFile(this.#log, "utf8")).trim().split("\n");
    throw new Error(`${this.#child.spawnfile} ended:\n${lines.slice(-10).join("\n")}`);
  }
}
