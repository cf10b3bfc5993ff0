// SPDX-License-Identifier: Apache-2.0
/** Everything that lives between start and stop of `evener run`. */
import { readdir, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Applier } from "../apply/applier.ts";
import { generateFallbackCertificate } from "../apply/fallback-certificate.ts";
import { nodeFileSystem } from "../apply/file-system.ts";
import { HitchControl } from "../apply/hitch-control.ts";
import { probeCertificate } from "../apply/tls-probe.ts";
import type { BalanceClient } from "../balance-client/client.ts";
import type { RunSettings } from "../cli/settings.ts";
import { VERSION } from "../cli/version.ts";
import type { Clock } from "../clock.ts";
import { Controller } from "../loop/controller.ts";
import { Loop } from "../loop/loop.ts";
import { shutDown } from "../loop/shutdown.ts";
import { buildModel } from "../model/build-model.ts";
import { renderConfigs } from "../render/render-configs.ts";
import { BalanceCollector } from "../report/collect-balance.ts";
import { startHealthServer } from "../report/health-server.ts";
import type { Logger } from "../report/log.ts";
import { createMetrics } from "../report/metrics.ts";
import type { Source } from "../source/source.ts";
import { createDataPlane, type DataPlane } from "../supervise/data-plane.ts";
import { createExecaRunner } from "../supervise/execa-runner.ts";
import { listChildren } from "../supervise/process-table.ts";
import { runOnce } from "../supervise/run-once.ts";
import { endStaleChildren, recordChild } from "../supervise/stale.ts";
import { ChildLog } from "./child-log.ts";
import { describeConfig, describeModel } from "./debug-view.ts";
import { findChildOwner } from "./run-dir.ts";

export interface RuntimeOptions {
  readonly settings: RunSettings;
  readonly log: Logger;
  readonly source: Source;
  readonly client: BalanceClient;
  readonly binDir: string;
  readonly clock: Clock;
}

export interface Runtime {
  stop(): Promise<void>;
}

/** Long enough for a burst of writes, short enough that an endpoint's change is live within a tenth of a second. */
const DEBOUNCE = { holdOffMs: 20, maxDelayMs: 250 };
const BACKOFF = { firstMs: 500, maxMs: 60_000 };
const RESYNC_MS = 3600_000;
const TEST_TIMEOUT_MS = 60_000;

export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { settings, log, source, client, binDir, clock } = options;
  const { runDir, httpsPort } = settings.model;
  const certDir = join(runDir, "certs");
  const owner = findChildOwner();
  const withOwner = owner === undefined ? {} : { owner };
  const hitchConfPath = join(runDir, "hitch.conf");
  const balanceConfPath = join(runDir, "balance.conf");
  await clearRunDir(runDir, { hitch: hitchConfPath, balance: balanceConfPath }, clock, log);

  const metrics = createMetrics(VERSION);
  const runner = createExecaRunner();
  const childLog = new ChildLog(log, clock);
  let stopping = false;
  const plane = createDataPlane({
    runner,
    clock,
    random: Math.random,
    binDir,
    runDir,
    httpsPort,
    ...withOwner,
    balanceClient: client,
    onLine: (child, line) => childLog.write(child, line),
    onSpawn: (child, pid) => {
      log.info({ child, pid }, "child started");
      recordChild(runDir, child, pid).catch((error: unknown) => {
        log.warn({ child, err: error }, "the child's pid could not be recorded");
      });
    },
    onState: (child, state, exit) => {
      log[state.phase === "backoff" || state.phase === "failed" ? "warn" : "info"](
        { child, ...state, exit },
        "child",
      );
      if (state.phase === "backoff" || state.phase === "failed") metrics.childRestarts.inc({ child });
      if (child === "hitch" && state.phase === "starting") control.forgetGenerations();
      // What could not be applied while it was away can be now.
      if (state.phase === "ready") loop.trigger();
    },
  });
  const control = new HitchControl({
    hitch: plane.hitch,
    clock,
    test: async (path) => {
      const spec = plane.hitchSpec(["--test", `--config=${path}`]);
      const { code, lines, timedOut, error } = await runOnce(runner, clock, spec, TEST_TIMEOUT_MS);
      const said = error?.message ?? lines.slice(-3).join("; ");
      const message = timedOut ? "hitch --test did not end in time" : said;
      return { ok: code === 0, message: message.slice(0, 500) };
    },
    listWorkers: listChildren,
    probe: (name) => probeCertificate(httpsPort, name, 2000),
  });
  const applier = new Applier({
    fs: nodeFileSystem,
    clock,
    runDir,
    certDir,
    ...withOwner,
    reloadIntervalMs: settings.reloadIntervalMs,
    hitch: adapt(plane.hitch, { control }),
    balance: adapt(plane.balance, { client }),
  });
  await applier.prepare();
  const controller = new Controller({
    source,
    build: buildModel,
    render: renderConfigs,
    applier,
    settings: settings.model,
    fallbackCertificate: await generateFallbackCertificate(new Date(clock.now())),
    clock,
    log,
    metrics,
  });
  const loop = new Loop({
    clock,
    random: Math.random,
    debounce: DEBOUNCE,
    backoff: BACKOFF,
    resyncMs: RESYNC_MS,
    sync: () => controller.sync(),
    onError: (error) => log.error({ err: error }, "sync failed"),
  });
  const collector = new BalanceCollector(metrics, client);
  const health = await startHealthServer(settings.healthzPort, {
    missing: () => listMissing(source, applier, plane, stopping),
    broken: () => [],
    metrics: async () => {
      await collector.collect().catch(() => undefined);
      metrics.hitchGenerations.set(await control.countGenerations());
      return { type: metrics.registry.contentType, text: await metrics.registry.metrics() };
    },
    config: () => describeConfig(controller.latest),
    model: () => describeModel(controller.latest),
  });
  log.info({ port: health.port }, "health port open");
  try {
    await source.start();
  } catch (error) {
    await health.stop();
    throw error;
  }
  const unsubscribe = source.onChange(() => loop.trigger());
  loop.start();

  return {
    stop: async () => {
      stopping = true;
      unsubscribe();
      await loop.stop();
      await shutDown({
        fs: nodeFileSystem,
        clock,
        log,
        ...withOwner,
        graceMs: settings.model.shutdownGraceSeconds * 1000,
        ...plane,
        client,
        hitchConfPath,
        balanceConfPath,
        listWorkers: listChildren,
      });
      await removeKeys(runDir, certDir);
      await health.stop();
    },
  };
}

function adapt<T extends object>(child: DataPlane["hitch"], more: T) {
  return {
    ...more,
    get ready() {
      return child.ready;
    },
    ensureReady: () => child.ensureReady(),
  };
}

function listMissing(source: Source, applier: Applier, plane: DataPlane, stopping: boolean): string[] {
  const missing: string[] = [];
  if (stopping) missing.push("shutting down");
  if (!source.synced) missing.push("the source has not synced");
  for (const child of [plane.balance, plane.hitch] as const) {
    if (!child.ready) missing.push(`${child.name} is ${child.state.phase}`);
  }
  if (applier.applied.balance === undefined) missing.push("no configuration is live in balance");
  if (applier.applied.hitch === undefined) missing.push("no configuration is live in hitch");
  return missing;
}

/** Nobody needs the keys on the disk any more, nor the numbers of processes that are gone. */
async function removeKeys(runDir: string, certDir: string): Promise<void> {
  await rm(certDir, { recursive: true, force: true });
  for (const child of ["hitch", "balance"]) await rm(join(runDir, `${child}.pid`), { force: true });
}

/** After a controller that was killed: its children, and the sockets they listened on. */
async function clearRunDir(
  runDir: string,
  markers: Readonly<Record<string, string>>,
  clock: Clock,
  log: Logger,
): Promise<void> {
  for (const [child, marker] of Object.entries(markers)) {
    const pids = await endStaleChildren(runDir, child, marker, clock);
    if (pids.length > 0) log.warn({ child, pids }, "ended children that an earlier controller left behind");
  }
  for (const name of await readdir(runDir)) {
    if (name.endsWith(".sock")) await unlink(join(runDir, name));
  }
}
