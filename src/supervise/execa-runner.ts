// SPDX-License-Identifier: Apache-2.0
/** Starts real programs, each in a process group of its own. */
import { execa } from "execa";
import { readLines } from "./lines.ts";
import type { Exit, ProcessSpec, Runner, RunningProcess } from "./runner.ts";

export interface ExecaRunner extends Runner {
  /** Kills whatever it has started and still knows, and starts nothing any more. */
  endAll(): void;
}

export function createExecaRunner(): ExecaRunner {
  const groups = new Set<number>();
  let ended = false;
  const endAll = () => {
    ended = true;
    for (const group of groups) signalPid(-group, "SIGKILL");
    groups.clear();
  };
  // Whatever ends the controller (an uncaught error included), its children do not outlive it.
  process.on("exit", endAll);
  return { spawn: (spec, onLine) => (ended ? REFUSED : spawn(spec, onLine, groups)), endAll };
}

const REFUSED: RunningProcess = {
  pid: undefined,
  exited: Promise.resolve({ code: null, signal: null, error: new Error("nothing is started any more") }),
  outputEnded: Promise.resolve(),
  signal: () => false,
  signalGroup: () => false,
};

function spawn(spec: ProcessSpec, onLine: (line: string) => void, groups: Set<number>): RunningProcess {
  const child = execa(spec.file, [...spec.args], {
    cwd: spec.cwd,
    env: spec.env,
    extendEnv: false,
    preferLocal: false,
    shell: false,
    // A group of its own: a terminal's Ctrl-C reaches only the controller, and the group can be ended as one.
    detached: true,
    cleanup: false,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
    ...(spec.gid === undefined ? {} : { gid: spec.gid }),
  });
  const outputEnded = Promise.all([readLines(child.stdout, onLine), readLines(child.stderr, onLine)]);
  const { pid, nodeChildProcess } = child;
  if (pid !== undefined) groups.add(pid);
  // execa's own promise waits until the output is closed, which a grandchild can delay for ever.
  const exited = new Promise<Exit>((resolve) => {
    nodeChildProcess.once("exit", (code, signal) => resolve({ code, signal }));
    nodeChildProcess.once("error", (error) => resolve({ code: null, signal: null, error }));
  });
  return {
    pid,
    exited,
    outputEnded: outputEnded.then(() => undefined),
    signal: (name) => child.kill(name),
    signalGroup: (name) => {
      if (pid === undefined) return false;
      const alive = signalPid(-pid, name);
      // Forgotten once it is gone: the number may come to belong to somebody else.
      if (!alive || name === "SIGKILL") groups.delete(pid);
      return alive;
    },
  };
}

/** kill(2) that answers whether somebody was there. */
export function signalPid(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
