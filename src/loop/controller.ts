// SPDX-License-Identifier: Apache-2.0
/** One sync: snapshot → model → text → children, and what there is to tell about it. */
import { createHash } from "node:crypto";
import type { Applier, ApplyFailure, ApplyOutcome } from "../apply/applier.ts";
import type { Clock } from "../clock.ts";
import type {
  Certificate,
  Ir,
  ModelInput,
  ModelOutput,
  ModelSettings,
  Problem,
  Store,
} from "../model/types.ts";
import type { SyncReport } from "../report/cluster-reporter.ts";
import { formatRef, type Logger } from "../report/log.ts";
import {
  hashToNumber,
  type Metrics,
  recordCertificates,
  recordProblems,
  recordReload,
} from "../report/metrics.ts";
import { ProblemTracker } from "../report/problems.ts";
import type { Source } from "../source/source.ts";
import type { UpstreamEngine, UpstreamFailure } from "../supervise/upstream-engine.ts";
import { describeDesired, type Rendered } from "./desired.ts";
import { FixedWorkers } from "./fixed-workers.ts";
import type { SyncResult } from "./loop.ts";

export interface ControllerOptions {
  readonly source: Source;
  readonly build: (input: ModelInput) => ModelOutput;
  readonly render: (ir: Ir) => Rendered;
  readonly applier: Applier;
  readonly settings: ModelSettings;
  readonly fallbackCertificate: Certificate;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Serves TCP ports beside Balance. */
  readonly upstream?: Pick<UpstreamEngine, "release" | "start">;
  /** Where statuses and Events come from; it must not take time. */
  readonly onSync?: (report: SyncReport) => void;
}

/** What the newest sync came to, for /debug. */
export interface Latest {
  readonly model: ModelOutput;
  readonly rendered: Rendered;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #problems = new ProblemTracker();
  readonly #workers = new FixedWorkers();
  #latest: Latest | undefined;
  /** Whose certificates the metrics show. */
  #recorded: Ir["hitch"] | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  get latest(): Latest | undefined {
    return this.#latest;
  }

  get problems(): readonly Problem[] {
    return this.#problems.current;
  }

  async sync(): Promise<SyncResult> {
    const { source, applier, metrics, upstream } = this.#options;
    if (!source.synced) return { ok: true };
    const end = metrics.syncDuration.startTimer();
    const { store, problems } = source.snapshot();
    const latest = this.#rebuild(store);
    if (latest instanceof Error) {
      metrics.lastReloadSuccessful.set(0);
      this.#tellProblems([...problems, describeBug(latest)]);
      return { ok: false };
    }
    const { model, rendered } = latest;
    const commands = rendered.upstream ?? [];
    // A port changes hands only when whoever has it has let go of it.
    await upstream?.release(commands);
    const outcome = await applier.apply(describeDesired(model.ir, rendered));
    const stalled = (await upstream?.start(commands)) ?? [];
    end();
    this.#report(model, rendered, outcome);
    const all = [
      ...problems,
      ...model.problems,
      ...outcome.failures.map(describeFailure),
      ...stalled.map(describeStalled),
    ];
    this.#tellProblems(all);
    const ok = outcome.failures.length === 0 && stalled.length === 0;
    const live = ok && outcome.deferredUntil === undefined;
    this.#options.onSync?.({
      store,
      statuses: model.statuses,
      policies: model.policies,
      problems: all,
      live,
    });
    return outcome.deferredUntil === undefined ? { ok } : { ok, again: outcome.deferredUntil };
  }

  /** A rebuild that fails is a bug; what serves goes on serving, and the bug is told like any other problem. */
  #rebuild(store: Store): Latest | Error {
    const { build, render, settings, fallbackCertificate, clock, log } = this.#options;
    try {
      const built = build({ store, settings, fallbackCertificate, now: new Date(clock.now()) });
      const { ir, problems } = this.#workers.apply(built.ir, store, settings);
      const model = { ...built, ir, problems: [...built.problems, ...problems] };
      this.#latest = { model, rendered: render(ir) };
      return this.#latest;
    } catch (error) {
      log.error({ err: error }, "the rebuild failed");
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #report(model: ModelOutput, rendered: Rendered, outcome: ApplyOutcome): void {
    const { metrics, log, clock } = this.#options;
    const { hitch } = model.ir;
    if (hitch !== this.#recorded)
      recordCertificates(metrics, [...hitch.certificates, hitch.defaultCertificate]);
    this.#recorded = hitch;
    for (const report of outcome.reloads) {
      recordReload(metrics, report);
      const { child, reason, result, message } = report;
      if (result === "ok") log.info({ child, reason, result }, "configuration live");
      else
        log.warn(
          { child, reason, result, detail: message },
          "configuration not taken; the last good one serves",
        );
    }
    if (outcome.failures.length > 0) {
      metrics.lastReloadSuccessful.set(0);
      return;
    }
    if (outcome.deferredUntil !== undefined) return;
    metrics.lastReloadSuccessful.set(1);
    if (outcome.reloads.length > 0) metrics.lastReloadTimestamp.set(clock.now() / 1000);
    const hash = createHash("sha256").update(rendered.hitchConf).update("\0").update(rendered.balanceConf);
    metrics.configHash.set(hashToNumber(hash.digest("hex")));
  }

  #tellProblems(problems: readonly Problem[]): void {
    const { metrics, log } = this.#options;
    recordProblems(metrics, problems);
    const { appeared, vanished } = this.#problems.update(problems);
    for (const problem of appeared) log.warn(describeProblem(problem), `problem: ${problem.message}`);
    for (const problem of vanished) log.info(describeProblem(problem), `problem solved: ${problem.message}`);
  }
}

function describeProblem({ ref, severity, reason, field }: Problem): Record<string, unknown> {
  return { object: formatRef(ref), severity, reason, ...(field === undefined ? {} : { field }) };
}

function describeBug(error: Error): Problem {
  return {
    ref: { apiVersion: "evener.io/v1alpha1", kind: "Evener", name: "rebuild" },
    severity: "error",
    reason: "RebuildFailed",
    message: `the configuration could not be computed, and the last good one serves: ${error.message}`,
  };
}

function describeStalled({ name, message }: UpstreamFailure): Problem {
  return {
    ref: { apiVersion: "evener.io/v1alpha1", kind: "Evener", name },
    severity: "error",
    reason: "ChildNotRunning",
    message: `upstream Balance: ${message}`,
  };
}

/** A failure to apply concerns no object of the user's; the controller itself is what to look at. */
function describeFailure({ step, error }: ApplyFailure): Problem {
  const reasons = {
    WRITE_FAILED: "WriteFailed",
    REFUSED: "ConfigurationRefused",
    UNVERIFIED: "ConfigurationNotVerified",
    NOT_RUNNING: "ChildNotRunning",
  } as const;
  return {
    ref: { apiVersion: "evener.io/v1alpha1", kind: "Evener", name: step },
    severity: "error",
    reason: reasons[error.code],
    message: `${step}: ${error.message}; the last good configuration serves`,
  };
}
