// SPDX-License-Identifier: Apache-2.0
/**
 * Processes of upstream Balance, one for each TCP port. Its command line is all there is to say to one, so another endpoint means
 * another process: the port is closed for a moment, and the connections of the old one end with it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../apply/config-file.ts";
import { nodeFileSystem, type Owner } from "../apply/file-system.ts";
import { type Clock, pause } from "../clock.ts";
import { formatCommand, type UpstreamCommand } from "../render/render-upstream.ts";
import type { ChildState } from "./child-state.ts";
import { isListening } from "./listening.ts";
import { ManagedChild } from "./managed-child.ts";
import type { Exit, Runner } from "./runner.ts";

export interface UpstreamEngineOptions {
  readonly runner: Runner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly runDir: string;
  readonly owner?: Owner;
  readonly onLine: (child: string, line: string) => void;
  readonly onState: (child: string, state: ChildState, exit: Exit | undefined) => void;
  readonly onSpawn: (child: string, pid: number) => void;
}

export interface UpstreamFailure {
  readonly name: string;
  readonly message: string;
}

interface Running {
  readonly text: string;
  readonly child: ManagedChild;
}

const START_MS = 5000;
const STOP_MS = 2000;
const FREE_MS = 1000;

export class UpstreamEngine {
  readonly #options: UpstreamEngineOptions;
  readonly #running = new Map<string, Running>();
  #stopped = false;

  constructor(options: UpstreamEngineOptions) {
    this.#options = options;
  }

  /** Ends the processes that are not wanted as they are; their ports may be Balance's next. */
  async release(wanted: readonly UpstreamCommand[]): Promise<void> {
    const keep = new Map(wanted.map((command) => [command.name, formatCommand(command)]));
    const gone = [...this.#running].filter(([name, { text }]) => keep.get(name) !== text);
    await Promise.all(gone.map(([name, running]) => this.#end(name, running, STOP_MS)));
  }

  /** Starts what is missing. What does not run is in the answer; it is tried again from here, with back-off. */
  async start(wanted: readonly UpstreamCommand[]): Promise<readonly UpstreamFailure[]> {
    if (this.#stopped) return [];
    const failures = await Promise.all(wanted.map((command) => this.#ensure(command)));
    return failures.flatMap((failure) => failure ?? []);
  }

  /** None is started afterwards. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#running].map(([name, running]) => this.#end(name, running, timeoutMs)));
  }

  async #ensure(command: UpstreamCommand): Promise<UpstreamFailure | undefined> {
    const { name } = command;
    const known = this.#running.get(name);
    if (known?.child.ready) return undefined;
    if (known !== undefined) return { name, message: `${name} is ${known.child.state.phase}` };
    const text = formatCommand(command);
    const child = this.#create(command);
    this.#running.set(name, { text, child });
    try {
      await writeAtomically(nodeFileSystem, this.#argsPath(name), text, 0o644);
      // Somebody else's listener would pass for its own. Balance may have to let go of the port yet.
      await this.#awaitFree(command.port);
      await child.ensureReady(START_MS);
      return undefined;
    } catch (error) {
      // Not yet started, it is to be tried anew.
      if (child.state.phase === "stopped") this.#running.delete(name);
      return { name, message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #awaitFree(port: number): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + FREE_MS;
    while (await isListening(port)) {
      if (clock.now() >= until) throw new Error(`port ${port} is taken`);
      await pause(clock, 20);
    }
  }

  #create({ name, port, file, args }: UpstreamCommand): ManagedChild {
    const { runner, clock, random, runDir, owner, onLine, onState, onSpawn } = this.#options;
    return new ManagedChild({
      name,
      spec: {
        file,
        args,
        // Where the program has its rendezvous, if it asks.
        env: { PATH: "/usr/bin:/bin", TZ: "UTC", XDG_RUNTIME_DIR: runDir },
        cwd: runDir,
        ...(owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }),
      },
      runner,
      clock,
      random,
      probe: () => isListening(port),
      onLine: (line) => onLine(name, line),
      onState: (state, exit) => onState(name, state, exit),
      onSpawn: (pid) => onSpawn(name, pid),
    });
  }

  async #end(name: string, { child }: Running, timeoutMs: number): Promise<void> {
    await child.stop(timeoutMs);
    this.#running.delete(name);
    await rm(this.#argsPath(name), { force: true });
    await rm(join(this.#options.runDir, `${name}.pid`), { force: true });
  }

  #argsPath(name: string): string {
    return join(this.#options.runDir, `${name}.args`);
  }
}
