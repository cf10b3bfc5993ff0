// SPDX-License-Identifier: Apache-2.0
/** A pod's network: a namespace with nothing but loopback, which outlives the container in it. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An HTTP server that says its name; the port and the name are its arguments. */
const BACKEND = `
const [port, name] = process.argv.slice(1);
require("node:http").createServer((_, response) => response.end(name + "\\n")).listen(Number(port), "127.0.0.1");
`;

export class Network {
  readonly name = `evener-${process.pid}`;
  readonly path = `/run/netns/${this.name}`;
  readonly #backends: ChildProcess[] = [];

  constructor() {
    execFileSync("ip", ["netns", "add", this.name]);
    execFileSync("ip", ["-n", this.name, "link", "set", "lo", "up"]);
  }

  startBackend(name: string, port: number): void {
    const args = ["netns", "exec", this.name, process.execPath, "-e", BACKEND, String(port), name];
    this.#backends.push(spawn("ip", args, { stdio: "ignore" }));
  }

  /** Answer to a GET from inside; status 0 when nobody answers. */
  async get(url: string, ...options: readonly string[]): Promise<{ status: number; body: string }> {
    const curl = ["curl", "--silent", "--insecure", "--max-time", "3", "--write-out", "\n%{http_code}"];
    try {
      const { stdout } = await run("ip", ["netns", "exec", this.name, ...curl, ...options, url]);
      const at = stdout.lastIndexOf("\n");
      return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
    } catch {
      return { status: 0, body: "" };
    }
  }

  remove(): void {
    for (const backend of this.#backends) backend.kill("SIGKILL");
    execFileSync("ip", ["netns", "delete", this.name]);
  }
}
