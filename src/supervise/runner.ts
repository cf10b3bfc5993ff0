// SPDX-License-Identifier: Apache-2.0
/** How programs are started. The execa runner and the tests' fake runner keep the same contract. */

export interface ProcessSpec {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Set when the controller is root: the children never are. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why the program could not be started at all. */
  readonly error?: Error;
}

export interface RunningProcess {
  /** Undefined when the program could not be started; `exited` tells why. */
  readonly pid: number | undefined;
  /** Settles when the process itself has ended, whoever may still hold its output open. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Settles when its output is closed: by all who held it, which may be long after `exited`. */
  readonly outputEnded: Promise<void>;
  /** Signals the process alone; false when it is gone. */
  signal(name: NodeJS.Signals): boolean;
  /** Signals the process and all its descendants that stayed in its group; false when none is left. */
  signalGroup(name: NodeJS.Signals): boolean;
}

export interface Runner {
  spawn(spec: ProcessSpec, onLine: (line: string) => void): RunningProcess;
}
