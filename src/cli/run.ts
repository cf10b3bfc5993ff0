// SPDX-License-Identifier: Apache-2.0
/** `evener run`: puts the parts together, and takes them apart in the right order. */
import { setMaxListeners } from "node:events";
import type { KubeConfig } from "@kubernetes/client-node";
import { createBalanceClient } from "../balance-client/client.ts";
import { systemClock } from "../clock.ts";
import { loadKubeConfig } from "../kube/config.ts";
import { createLogger, type Logger } from "../report/log.ts";
import { findReachableBinDir, removeCopy } from "../run/child-access.ts";
import { joinCluster } from "../run/cluster.ts";
import { findBinDir, findChildOwner, prepareRunDir } from "../run/run-dir.ts";
import { startRuntime } from "../run/runtime.ts";
import { SourceStoppedError } from "../source/kube/kube-source.ts";
import { openSource } from "../source/open-source.ts";
import { lockRunDir, RunDirBusyError } from "../supervise/lock.ts";
import type { RunSettings } from "./settings.ts";

/** sysexits(3) */
const EX_UNAVAILABLE = 69;
const EX_TEMPFAIL = 75;
const EX_CONFIG = 78;

/** Runs until SIGTERM or SIGINT; resolves to the exit status. A second signal ends at once. */
export async function run(settings: RunSettings, programs: string = findBinDir()): Promise<number> {
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  let config: KubeConfig | undefined;
  try {
    config = settings.source.kind === "kube" ? loadKubeConfig(settings.kubeconfig) : undefined;
  } catch (error) {
    log.error({ err: error }, "there is no way to the cluster");
    return EX_CONFIG;
  }
  const source = openSource(settings, config, systemClock, log);
  const { runDir } = settings.model;
  let unlock: () => Promise<void>;
  let binDir: string;
  try {
    await prepareRunDir(runDir);
    unlock = await lockRunDir(runDir);
  } catch (error) {
    log.error({ runDir, err: error }, "the run directory can't be used");
    return error instanceof RunDirBusyError ? EX_TEMPFAIL : EX_UNAVAILABLE;
  }
  try {
    const { closed, ...found } = await findReachableBinDir(programs, runDir, findChildOwner());
    binDir = found.binDir;
    if (closed !== undefined)
      log.info({ closed, binDir }, "the children can't enter a directory: they are run from a copy");
  } catch (error) {
    log.error({ runDir, programs, err: error }, "the children can't be started from here");
    await unlock();
    return EX_UNAVAILABLE;
  }
  const ended = waitForSignal(log);
  // A source may wait for its cluster as long as it takes; a signal ends that as well.
  let started = false;
  ended
    .then(() => (started ? undefined : source.stop()))
    .catch((error: unknown) => log.error({ err: error }));
  const client = createBalanceClient(`${runDir}/control.sock`);
  try {
    const cluster = config === undefined ? {} : { cluster: joinCluster(config, settings) };
    const runtime = await startRuntime({
      settings,
      log,
      source,
      client,
      binDir,
      clock: systemClock,
      ...cluster,
    });
    started = true;
    const signal = await ended;
    log.info({ signal }, "shutting down");
    await runtime.stop();
    log.info("ended");
    return 0;
  } catch (error) {
    if (error instanceof SourceStoppedError) {
      log.info("ended before anything was served");
      return 0;
    }
    log.error({ err: error }, "can't go on");
    return EX_UNAVAILABLE;
  } finally {
    await source.stop();
    await removeCopy(runDir);
    await unlock();
  }
}

function waitForSignal(log: Logger): Promise<NodeJS.Signals> {
  setMaxListeners(20, process);
  return new Promise((resolve) => {
    let first = true;
    const handle = (signal: NodeJS.Signals) => {
      if (first) {
        first = false;
        resolve(signal);
        return;
      }
      log.warn({ signal }, "second signal: ending at once");
      // The runner's exit hook kills the children's groups.
      process.exit(1);
    };
    // SIGHUP is what a closed terminal sends; its default would leave the children behind.
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, handle);
  });
}
