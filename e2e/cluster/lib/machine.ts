// SPDX-License-Identifier: Apache-2.0
/**
 * The namespaces that a node lives in (network, mounts, processes, names): when their process 1 ends, everything in them ends,
 * and every mount, interface and rule is gone. Process 1 ends with the test, however that ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { eventually } from "../../../test/fixtures/eventually.ts";
import {
  CLIENT_ADDRESSES,
  LB_ADDRESS,
  LINK_PREFIX,
  NODE_ADDRESS,
  POD_NETWORK,
  SERVICE_NETWORK,
} from "./addresses.ts";
import { findChild, readProcess } from "./processes.ts";

const SETUP = join(import.meta.dirname, "setup-node.sh");

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  readonly ended: boolean;
  stop(): Promise<void>;
}

export class Machine {
  readonly #work: string;
  readonly #unshare: ChildProcess;
  readonly #pid: number;

  private constructor(work: string, unshare: ChildProcess, pid: number) {
    this.#work = work;
    this.#unshare = unshare;
    this.#pid = pid;
  }

  static async start(work: string, pause: string): Promise<Machine> {
    const log = openSync(join(work, "machine.log"), "a");
    const namespaces = ["--net", "--mount", "--pid", "--uts", "--ipc"];
    const options = ["--propagation", "private", "--fork", "--kill-child", "--mount-proc"];
    const unshare = ["unshare", ...namespaces, ...options, SETUP, work, pause];
    const child = spawn("setpriv", ["--pdeathsig", "KILL", ...unshare], { stdio: ["ignore", log, log] });
    await once(child, "spawn");
    const pid = await eventually("the namespaces are set up", () => {
      if (child.exitCode !== null) throw new Error(`unshare has ended: ${join(work, "machine.log")}`);
      return existsSync(join(work, "set-up")) && findChild(child.pid ?? 0);
    });
    const machine = new Machine(work, child, pid);
    await machine.#connect();
    return machine;
  }

  /** A program in the node, its output in a file. */
  async run(name: string, file: string, args: readonly string[]): Promise<Running> {
    const log = join(this.#work, `${name}.log`);
    const output = openSync(log, "a");
    const child = spawn("nsenter", [...this.#enter(), file, ...args], {
      stdio: ["ignore", output, output],
      // Not the test's TMPDIR: what is temporary to the node is the node's.
      env: { PATH: process.env.PATH, TMPDIR: join(this.#work, "tmp"), GOGC: "50" },
    });
    await once(child, "spawn");
    const pid = await eventually(`${name} has started`, () => {
      if (child.exitCode !== null) throw new Error(`${name} has ended: ${log}`);
      const found = findChild(child.pid ?? 0);
      return found !== undefined && readProcess(found)?.args.startsWith(file) ? found : undefined;
    });
    return {
      name,
      pid,
      log,
      get ended() {
        return child.exitCode !== null || child.signalCode !== null;
      },
      stop: () => stop(child, pid),
    };
  }

  /** Runs a command in the node to its end; what it wrote. */
  async execute(file: string, ...args: readonly string[]): Promise<string> {
    const env = { TMPDIR: join(this.#work, "tmp") };
    return (await execa("nsenter", [...this.#enter(), file, ...args], { env })).stdout;
  }

  /** Whatever is still running ends now. */
  async end(): Promise<void> {
    if (this.#unshare.exitCode !== null || this.#unshare.signalCode !== null) return;
    const exited = once(this.#unshare, "exit");
    process.kill(this.#pid, "SIGKILL");
    await exited;
  }

  #enter(): string[] {
    return ["--target", String(this.#pid), "--net", "--mount", "--pid", "--uts", "--ipc", "--wd=/", "--"];
  }

  /** The cable between the test's namespace and the node's. */
  async #connect(): Promise<void> {
    const ip = (...args: readonly string[]) => execa("ip", [...args]);
    const node = ["netns", String(this.#pid)];
    await ip("link", "add", "node0", "type", "veth", "peer", "name", "eth0", ...node);
    for (const address of CLIENT_ADDRESSES)
      await ip("address", "add", `${address}/${LINK_PREFIX}`, "dev", "node0");
    await ip("link", "set", "node0", "up");
    await this.execute("ip", "address", "add", `${NODE_ADDRESS}/${LINK_PREFIX}`, "dev", "eth0");
    await this.execute("ip", "link", "set", "eth0", "up");
    // Programs of the node reach Services by rules that apply behind a route. Other nodes have a default route for that.
    await this.execute("ip", "route", "add", SERVICE_NETWORK, "dev", "eth0");
    for (const network of [POD_NETWORK, LB_ADDRESS]) await ip("route", "add", network, "via", NODE_ADDRESS);
  }
}

const STOP_MS = 15_000;

async function stop(child: ChildProcess, pid: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  process.kill(pid, "SIGTERM");
  const timer = setTimeout(() => process.kill(pid, "SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}
