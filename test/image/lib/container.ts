// SPDX-License-Identifier: Apache-2.0
/**
 * Runs the image under runc as a restricted pod would: read-only root, the image's own user, no capability, no new
 * privileges, namespaces of its own, volumes on /run/evener and /tmp as kubelet makes them (root's, 0777).
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Image } from "./archive.ts";
import type { Network } from "./network.ts";

const run = promisify(execFile);
let count = 0;

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly writable?: boolean;
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly args: string;
  readonly state: string;
}

export class Container {
  readonly id = `evener-test-${process.pid}-${++count}`;
  readonly #state: string;
  readonly #bundle: string;
  #process: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  log = "";
  exitCode: number | null = null;

  constructor(image: Image, network: Network, args: readonly string[], mounts: readonly Mount[] = []) {
    this.#state = join(image.dir, "runc");
    this.#bundle = join(image.dir, this.id);
    mkdirSync(this.#bundle);
    const spec = JSON.stringify(describe(image, network, args, mounts));
    writeFileSync(join(this.#bundle, "config.json"), spec);
  }

  start(): void {
    const args = ["--root", this.#state, "run", "--no-new-keyring", "--bundle", this.#bundle, this.id];
    const child = spawn("runc", args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    this.exitCode = null;
    const collect = (chunk: Buffer) => {
      this.log += chunk.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    this.#exited = once(child, "close").then(() => {
      this.exitCode = child.exitCode;
    });
  }

  /** Resolves when it has ended by itself. */
  async exited(): Promise<number | null> {
    await this.#exited;
    await run("runc", ["--root", this.#state, "delete", "--force", this.id]).catch(() => undefined);
    return this.exitCode;
  }

  get running(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null;
  }

  async signal(name: string): Promise<void> {
    await run("runc", ["--root", this.#state, "kill", this.id, name]);
  }

  async stop(): Promise<void> {
    if (this.running) await this.signal("KILL").catch(() => this.#process?.kill("SIGKILL"));
    await this.exited();
  }

  /** The init's number outside of the container. */
  async pid(): Promise<number> {
    const { stdout } = await run("runc", ["--root", this.#state, "state", this.id]);
    return (JSON.parse(stdout) as { pid: number }).pid;
  }

  /** Everything in the container, by the numbers of this machine, zombies too: the init and what descends from it. */
  async processes(): Promise<Process[]> {
    const all = readdirSync("/proc").flatMap((name) =>
      /^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : [],
    );
    const inside = new Set([await this.pid()]);
    for (let before = 0; before !== inside.size; ) {
      before = inside.size;
      for (const { pid, parent } of all) if (inside.has(parent)) inside.add(pid);
    }
    return all.filter(({ pid }) => inside.has(pid));
  }
}

function readProcess(pid: number): Process | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid, parent: Number(field("PPid")), name: field("Name"), args, state: field("State") };
  } catch {
    return undefined;
  }
}

function describe(
  { rootfs, config }: Image,
  network: Network,
  args: readonly string[],
  mounts: readonly Mount[],
) {
  const [uid, gid] = config.User.split(":").map(Number);
  const tmpfs = (destination: string, mode: string) => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "nodev", "noexec", `mode=${mode}`],
  });
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid, gid },
      args: [...config.Entrypoint, ...(args.length > 0 ? args : config.Cmd)],
      env: config.Env,
      cwd: "/",
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      noNewPrivileges: true,
    },
    root: { path: rootfs, readonly: true },
    hostname: "evener",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      tmpfs("/tmp", "777"),
      ...mounts.map(({ source, target, writable }) => ({
        destination: target,
        type: "bind",
        source,
        options: ["rbind", "nosuid", "nodev", "noexec", writable === true ? "rw" : "ro"],
      })),
    ],
    linux: {
      namespaces: [
        ...["pid", "mount", "ipc", "uts"].map((type) => ({ type })),
        { type: "network", path: network.path },
      ],
      maskedPaths: ["/proc/kcore", "/proc/keys"],
      readonlyPaths: ["/proc/sys"],
    },
  };
}
