// SPDX-License-Identifier: Apache-2.0
/** The orderly end: stop accepting, let connections finish, then end the children. */
import { dirname } from "node:path";
import { writeAtomically } from "../apply/config-file.ts";
import type { FileSystem, Owner } from "../apply/file-system.ts";
import type { BalanceClient } from "../balance-client/client.ts";
import { type Clock, pause } from "../clock.ts";
import type { Logger } from "../report/log.ts";
import type { ManagedChild } from "../supervise/managed-child.ts";

export interface ShutdownOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly log: Logger;
  readonly owner?: Owner;
  readonly graceMs: number;
  readonly hitch: ManagedChild;
  readonly balance: ManagedChild;
  readonly client: BalanceClient;
  readonly hitchConfPath: string;
  readonly balanceConfPath: string;
  readonly listWorkers: (master: number) => Promise<readonly number[]>;
}

/** Time kept back for the children's own end. */
const RESERVE_MS = 2000;
const POLL_MS = 50;

export async function shutDown(options: ShutdownOptions): Promise<void> {
  const { clock, log, graceMs, hitch, balance } = options;
  const deadline = clock.now() + graceMs;
  const reserve = Math.min(RESERVE_MS, graceMs / 4);
  const warn = (what: string) => (error: unknown) => log.warn({ err: error }, what);
  await beginDrain(options).catch(warn("Balance could not be told to stop accepting"));
  await drainHitch(options, deadline - reserve).catch(warn("Hitch could not be drained"));
  const left = () => Math.max(100, deadline - clock.now());
  await hitch.stop(Math.min(500, left()));
  // Balance lets the plain connections finish; whoever came through Hitch has no client any more.
  await balance.stop(left());
}

/** Balance goes on serving Hitch while it takes no new plain connection, and lets each answer be its connection's last. */
async function beginDrain({ fs, owner, balance, balanceConfPath, client }: ShutdownOptions): Promise<void> {
  const text = await fs.read(balanceConfPath);
  if (!balance.ready || text === undefined) return;
  const dir = dirname(balanceConfPath);
  await writeAtomically(fs, balanceConfPath, drainBalance(text, dir), 0o600, owner);
  await client.reload();
}

/**
 * A listener that goes takes the rules of its open connections with it. So the ports move to sockets that nobody knows, as
 * Hitch's frontend does, and requests that are on their way still find their pods.
 */
export function drainBalance(balanceConf: string, dir: string): string {
  const moved = balanceConf.replace(
    /^([ \t]*listen[ \t]+(\S+)[ \t]+)tcp:\S+/gm,
    `$1unix:${dir}/drain-$2.sock`,
  );
  return `${moved}\nhttp keep-alive=off\n`;
}

/**
 * Hitch drops its connections on SIGTERM. So its frontend is moved to a private loopback port by a reload: the workers
 * that hold the connections stop accepting, and leave one by one as their connections end.
 */
async function drainHitch(options: ShutdownOptions, deadline: number): Promise<void> {
  const { fs, owner, clock, log, hitch, hitchConfPath, listWorkers } = options;
  const master = hitch.pid;
  const text = await fs.read(hitchConfPath);
  if (!hitch.ready || master === undefined || text === undefined) return;
  const old = new Set(await listWorkers(master));
  await writeAtomically(fs, hitchConfPath, moveFrontend(text), 0o600, owner);
  let signalledAt = Number.NEGATIVE_INFINITY;
  while (clock.now() < deadline && hitch.pid === master) {
    const now = await listWorkers(master);
    const reloaded = now.some((pid) => !old.has(pid));
    if (!now.some((pid) => old.has(pid))) return;
    if (!reloaded && clock.now() - signalledAt >= 1000) {
      signalledAt = clock.now();
      hitch.signal("SIGHUP");
    }
    await pause(clock, POLL_MS);
  }
  log.warn("the grace period is over; Hitch's last connections are dropped");
}

/** Any free port will do: nobody is to know it. The certificates stay, since Hitch asks for one. */
export function moveFrontend(hitchConf: string): string {
  const rest = hitchConf.replace(/^[ \t]*frontend\s*=\s*(?:\{[^}]*\}|.*)\n/gm, "");
  return `frontend = "[127.0.0.1]:0"\n${rest}`;
}
