// SPDX-License-Identifier: Apache-2.0
/** Everything that lives between start and stop of `evener run`. */
import { join } from "node:path";
import { Applier } from "../apply/applier.ts";
import { generateFallbackCertificate } from "../apply/fallback-certificate.ts";
import { nodeFileSystem } from "../apply/file-system.ts";
import { HitchControl } from "../apply/hitch-control.ts";
import { probeHitch } from "../apply/probe-target.ts";
import type { BalanceClient } from "../balance-client/client.ts";
import type { RunSettings } from "../cli/settings.ts";
import { VERSION } from "../cli/version.ts";
import { type Clock, pause, waitAtMost } from "../clock.ts";
import { Controller } from "../loop/controller.ts";
import { Loop } from "../loop/loop.ts";
import { shutDown } from "../loop/shutdown.ts";
import { createModelBuilder } from "../model/build-model.ts";
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
import { recordChild } from "../supervise/stale.ts";
import { UpstreamEngine, type UpstreamEngineOptions } from "../supervise/upstream-engine.ts";
import { ChildLog } from "./child-log.ts";
import { type Cluster, createReporter } from "./cluster.ts";
import { describeConfig, describeModel } from "./debug-view.ts";
import { Inspection } from "./inspection.ts";
import { listBroken, listMissing } from "./readiness.ts";
import { clearRunDir, findChildOwner, removeKeys } from "./run-dir.ts";

export interface RuntimeOptions {
  readonly settings: RunSettings;
  readonly log: Logger;
  readonly source: Source;
  readonly client: BalanceClient;
  readonly binDir: string;
  readonly clock: Clock;
  /** Absent when the objects come from a directory: there is nobody to report to. */
  readonly cluster?: Cluster;
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
  const { settings, log, source, client, binDir, clock, cluster } = options;
  const { runDir } = settings.model;
  const certDir = join(runDir, "certs");
  const owner = findChildOwner();
  const withOwner = owner === undefined ? {} : { owner };
  const hitchConfPath = join(runDir, "hitch.conf");
  const balanceConfPath = join(runDir, "balance.conf");
  await clearRunDir(runDir, clock, log);

  const metrics = createMetrics(VERSION);
  const reporter = cluster === undefined ? undefined : createReporter(cluster, settings, log, metrics);
  const runner = createExecaRunner();
  const inspection = new Inspection(clock);
  const childLog = new ChildLog(log, clock);
  let stopping = false;
  const children: Pick<UpstreamEngineOptions, "onLine" | "onSpawn" | "onState"> = {
    onLine: (child, line) => childLog.write(child, line),
    onSpawn: (child, pid) => {
      log.info({ child, pid }, "child started");
      inspection.recordPid(child, pid);
      recordChild(runDir, child, pid).catch((error: unknown) => {
        log.warn({ child, err: error }, "the child's pid could not be recorded");
      });
    },
    onState: (child, state, exit) => {
      inspection.recordState(child, state);
      log[state.phase === "backoff" || state.phase === "failed" ? "warn" : "info"](
        { child, ...state, exit },
        `${child} is ${state.phase}`,
      );
      if (state.phase === "backoff" || state.phase === "failed") metrics.childRestarts.inc({ child });
      if (child === "hitch" && state.phase === "starting") control.forgetGenerations();
      // What could not be applied while it was away can be now.
      if (state.phase === "ready") loop.trigger();
    },
  };
  const common = { runner, clock, random: Math.random, runDir, ...withOwner, ...children };
  const joining = settings.model.separateProcesses === true ? {} : { joinSocket: join(runDir, "join.sock") };
  const plane = createDataPlane({ ...common, ...joining, binDir, balanceClient: client });
  const upstream = settings.model.upstreamBalance === undefined ? undefined : new UpstreamEngine(common);
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
    probe: (name) => probeHitch(hitchConfPath, name, 2000),
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
    onReload: (record) => inspection.reloads.add(record),
  });
  await applier.prepare();
  const controller = new Controller({
    source,
    build: createModelBuilder(),
    render: renderConfigs,
    applier,
    settings: settings.model,
    fallbackCertificate: await generateFallbackCertificate(new Date(clock.now())),
    clock,
    log,
    metrics,
    ...(upstream === undefined ? {} : { upstream }),
    onSync: (report) => {
      inspection.recordRebuild(controller.latest);
      reporter?.report(report);
    },
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
  const missing = () => {
    const now = clock.now();
    const silentMs = reporter?.sinceAnswerMs;
    const answeredAt = silentMs === undefined ? undefined : now - silentMs;
    return listMissing({ source, applier, plane, stopping, now, answeredAt });
  };
  const health = await startHealthServer(settings.healthzPort, {
    missing,
    broken: () => listBroken(loop),
    metrics: async () => {
      await collector.collect().catch(() => undefined);
      metrics.hitchGenerations.set(await control.countGenerations());
      return { type: metrics.registry.contentType, text: await metrics.registry.metrics() };
    },
    config: () => describeConfig(controller.latest),
    model: () => describeModel(controller.latest),
  });
  log.info({ port: health.port }, "health port open");
  let closeInspection = async () => {};
  try {
    closeInspection = await inspection.open(
      runDir,
      settings.page,
      { controller, applier, client, missing },
      log,
    );
    await source.start();
  } catch (error) {
    await closeInspection();
    await health.stop();
    throw error;
  }
  const unsubscribe = source.onChange(() => loop.trigger());
  reporter?.start();
  loop.start();

  return {
    stop: async () => {
      stopping = true;
      const graceMs = settings.model.shutdownGraceSeconds * 1000;
      const deadline = clock.now() + graceMs;
      const reported = reporter?.stop(graceMs);
      // Until nobody sends us connections any more, we serve them as ever, and follow what changes.
      await pause(clock, Math.min(settings.shutdownDelayMs, graceMs / 2));
      unsubscribe();
      // A sync that waits for a child that does not come up shall not use up the time of the connections.
      const synced = loop.stop();
      await waitAtMost(clock, (deadline - clock.now()) / 4, synced);
      await shutDown({
        fs: nodeFileSystem,
        clock,
        log,
        ...withOwner,
        graceMs: deadline - clock.now(),
        ...plane,
        client,
        hitchConfPath,
        balanceConfPath,
        listWorkers: listChildren,
      });
      // It has no way to stop accepting but to end, so it serves as long as the others have something to finish.
      await upstream?.stop(500);
      // A `hitch --test` may still run; with its end the last sync ends.
      runner.endAll();
      await synced;
      await reported;
      cluster?.close();
      await removeKeys(runDir);
      await closeInspection();
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
