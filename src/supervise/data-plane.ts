// SPDX-License-Identifier: Apache-2.0
/** The two children: how each is started, and what makes it ready. */
import { join } from "node:path";
import type { Owner } from "../apply/file-system.ts";
import { probeHitch } from "../apply/probe-target.ts";
import type { BalanceClient } from "../balance-client/client.ts";
import type { Clock } from "../clock.ts";
import type { ChildState } from "./child-state.ts";
import { ManagedChild } from "./managed-child.ts";
import type { Exit, ProcessSpec, Runner } from "./runner.ts";

export interface DataPlaneOptions {
  readonly runner: Runner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly binDir: string;
  readonly runDir: string;
  /** Where Hitch's workers join Balance; absent: nowhere. */
  readonly joinSocket?: string;
  readonly owner?: Owner;
  readonly balanceClient: BalanceClient;
  readonly onLine: (child: string, line: string) => void;
  readonly onState: (child: string, state: ChildState, exit: Exit | undefined) => void;
  readonly onSpawn: (child: string, pid: number) => void;
}

export interface DataPlane {
  readonly hitch: ManagedChild;
  readonly balance: ManagedChild;
  /** For `hitch --test` with another file. */
  hitchSpec(args: readonly string[]): ProcessSpec;
}

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { runner, clock, random, runDir, balanceClient, onLine, onState, onSpawn } = options;
  const create = (name: string, spec: ProcessSpec, probe: () => Promise<boolean>) =>
    new ManagedChild({
      name,
      spec,
      runner,
      clock,
      random,
      probe,
      onLine: (line) => onLine(name, line),
      onState: (state, exit) => onState(name, state, exit),
      onSpawn: (pid) => onSpawn(name, pid),
    });
  const joining = options.joinSocket === undefined ? {} : { BALANCE_JOIN: options.joinSocket };
  const hitchSpec = (args: readonly string[]) => describe(options, "hitch", args, joining);
  const balanceSpec = describe(options, "balance", ["--config", join(runDir, "balance.conf")]);
  const balance = create("balance", balanceSpec, async () => {
    await balanceClient.status();
    return true;
  });
  const hitchConf = join(runDir, "hitch.conf");
  const hitch = create("hitch", hitchSpec([`--config=${hitchConf}`]), async () => {
    await probeHitch(hitchConf, undefined, 1000);
    return true;
  });
  return { hitch, balance, hitchSpec };
}

/** A bare environment: no token, no address of the API server, nothing of the controller's own settings. */
function describe(
  options: DataPlaneOptions,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ProcessSpec {
  const { binDir, runDir, owner } = options;
  return {
    file: join(binDir, program),
    args,
    env: { PATH: "/usr/bin:/bin", TZ: "UTC", ...env },
    cwd: runDir,
    ...(owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }),
  };
}
