// SPDX-License-Identifier: Apache-2.0
/** Brings the wanted configuration to the children: files first, then the least reload, each one verified. */
import { join } from "node:path";
import type { BalanceClient } from "../balance-client/client.ts";
import type { Clock } from "../clock.ts";
import { ConfigFile, replaceFile } from "./config-file.ts";
import { ApplyError, messageOf } from "./errors.ts";
import type { FileSystem, Owner } from "./file-system.ts";
import type { HitchControl } from "./hitch-control.ts";
import {
  type Applied,
  type Desired,
  findSettingsStep,
  planSteps,
  type ReloadReason,
  type Step,
} from "./plan.ts";

export type ChildName = "hitch" | "balance";

/** The supervised child as applying sees it. */
export interface AppliedChild {
  /** Started, restarted or left alone, but ready when this resolves; rejects when that takes too long. */
  ensureReady(): Promise<void>;
  readonly ready: boolean;
}

export interface ReloadReport {
  readonly child: ChildName;
  readonly reason: ReloadReason;
  readonly result: "ok" | "refused" | "unverified" | "failed";
  readonly message?: string;
}

/** One that was tried, and how long that took. */
export interface ReloadRecord extends ReloadReport {
  readonly at: number;
  readonly durationMs: number;
}

export interface ApplyFailure {
  readonly step: Step["type"];
  readonly error: ApplyError;
}

export interface ApplyOutcome {
  readonly reloads: readonly ReloadReport[];
  readonly failures: readonly ApplyFailure[];
  /** Hitch was reloaded too recently: apply again at this time. */
  readonly deferredUntil?: number;
}

export interface ApplierOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly runDir: string;
  readonly certDir: string;
  readonly owner?: Owner;
  /** Least time between two reloads of Hitch: each leaves a generation of workers behind. */
  readonly reloadIntervalMs: number;
  readonly hitch: AppliedChild & { readonly control: HitchControl };
  readonly balance: AppliedChild & { readonly client: BalanceClient };
  /** Told of each reload as it ends. */
  readonly onReload?: (record: ReloadRecord) => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  readonly #hitchConf: ConfigFile;
  readonly #balanceConf: ConfigFile;
  #applied: Applied = {};
  #hitchReloadedAt = Number.NEGATIVE_INFINITY;
  /** Why Hitch's newest reload failed: still so while the next attempt waits for its time. */
  #hitchFailure: ApplyFailure | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#hitchConf = new ConfigFile(options.fs, join(options.runDir, "hitch.conf"), options.owner);
    this.#balanceConf = new ConfigFile(options.fs, join(options.runDir, "balance.conf"), options.owner);
  }

  get applied(): Applied {
    return this.#applied;
  }

  /** Removes what an earlier run left half done. */
  async prepare(): Promise<void> {
    await this.#hitchConf.clean();
    await this.#balanceConf.clean();
  }

  /** Never throws for what a file system or a child does: that is in the outcome, and the last good state serves on. */
  async apply(desired: Desired): Promise<ApplyOutcome> {
    const { clock, onReload } = this.#options;
    const reloads: ReloadReport[] = [];
    const record = (report: ReloadReport, at: number) => {
      reloads.push(report);
      onReload?.({ ...report, at, durationMs: clock.now() - at });
    };
    const failures: ApplyFailure[] = [];
    const failed = new Set<Step["type"]>();
    let deferredUntil: number | undefined;
    const steps = planSteps(this.#applied, desired);
    if (!steps.some((step) => step.type === "hitch")) this.#hitchFailure = undefined;
    for (const step of steps) {
      // A certificate that could not be written must not be named, and nothing is removed before Hitch let go of it.
      if (step.type === "hitch" && failed.has("write-certificates")) failed.add("hitch");
      if (step.type === "hitch" && this.#applied.hitch !== undefined) {
        deferredUntil = this.#nextHitchReload();
        if (deferredUntil !== undefined && this.#hitchFailure !== undefined)
          failures.push(this.#hitchFailure);
      }
      const skipped =
        step.type === "hitch" ||
        step.type === "remove-certificates" ||
        (step.type === "balance" && step.afterHitch === true);
      if (skipped && (failed.has("hitch") || deferredUntil !== undefined)) continue;
      const startedAt = clock.now();
      try {
        await this.#runStep(step, desired);
        if (step.type === "hitch") this.#hitchFailure = undefined;
        if (step.type === "hitch" || step.type === "balance") {
          record({ child: step.type, reason: step.reason, result: "ok" }, startedAt);
        }
      } catch (cause) {
        const error =
          cause instanceof ApplyError ? cause : new ApplyError("WRITE_FAILED", messageOf(cause), cause);
        failed.add(step.type);
        failures.push({ step: step.type, error });
        if (step.type === "hitch") this.#hitchFailure = { step: step.type, error };
        if (step.type === "hitch" || step.type === "balance") record(reportFailure(step, error), startedAt);
      }
    }
    return { reloads, failures, ...(deferredUntil === undefined ? {} : { deferredUntil }) };
  }

  async #runStep(step: Step, desired: Desired): Promise<void> {
    switch (step.type) {
      case "write-certificates":
        return this.#writeCertificates(step.paths, desired);
      case "balance":
        return this.#applyBalance(desired);
      case "hitch":
        return this.#applyHitch(step, desired);
      case "remove-certificates":
        return this.#removeCertificates(step.keep);
    }
  }

  async #writeCertificates(paths: readonly string[], desired: Desired): Promise<void> {
    const { fs, owner, certDir } = this.#options;
    for (const path of paths) {
      const pem = desired.certificates.get(path) ?? "";
      // Named by their content; but a file may have been left by an earlier run, and be anything.
      if ((await fs.read(path)) !== pem) await replaceFile(fs, path, pem, 0o600, owner);
    }
    await fs.syncDir(certDir);
  }

  async #applyBalance(desired: Desired): Promise<void> {
    const { balance } = this.#options;
    const first = this.#applied.balance === undefined;
    if (!first && !balance.ready) throw new ApplyError("NOT_RUNNING", "Balance is not ready");
    await this.#balanceConf.stage(desired.balanceConf);
    await this.#withRollback("balance", this.#balanceConf, async () => {
      if (first) await balance.ensureReady();
      const { hash } = first ? await balance.client.status() : await this.#reloadBalance();
      // A first start may have found Balance running already, with an earlier text.
      const live = first && hash !== desired.balanceHash ? (await this.#reloadBalance()).hash : hash;
      if (live !== desired.balanceHash) {
        throw new ApplyError("UNVERIFIED", `Balance runs ${live}, not ${desired.balanceHash}`);
      }
    });
    this.#applied = { ...this.#applied, balance: { conf: desired.balanceConf } };
  }

  async #reloadBalance(): Promise<{ readonly hash: string }> {
    try {
      return await this.#options.balance.client.reload();
    } catch (error) {
      const refused = (error as { code?: string }).code === "REFUSED";
      if (refused) throw new ApplyError("REFUSED", messageOf(error), error);
      // No answer is not a no: what it runs now decides.
      const status = await this.#options.balance.client.status().catch(() => undefined);
      if (status === undefined) throw new ApplyError("UNVERIFIED", messageOf(error), error);
      return status;
    }
  }

  async #applyHitch(step: Step & { type: "hitch" }, desired: Desired): Promise<void> {
    const { hitch, clock } = this.#options;
    const first = this.#applied.hitch === undefined;
    if (!first && !hitch.ready) throw new ApplyError("NOT_RUNNING", "Hitch is not ready");
    const settingsStep = findSettingsStep(this.#applied.hitch?.conf, desired.hitchConf);
    if (settingsStep !== undefined) {
      await this.#stageHitch(settingsStep);
      await this.#withRollback("hitch", this.#hitchConf, () => hitch.control.reload([]));
    }
    await this.#stageHitch(desired.hitchConf);
    const running = first && hitch.ready;
    await this.#withRollback("hitch", this.#hitchConf, async () => {
      if (first && !running) {
        await hitch.ensureReady();
        await hitch.control.verify(step.verify, clock.now() + 5000);
      } else {
        this.#hitchReloadedAt = clock.now();
        await hitch.control.reload(step.verify);
      }
    });
    this.#applied = {
      ...this.#applied,
      hitch: { conf: desired.hitchConf, certificates: new Set(desired.certificates.keys()) },
    };
  }

  async #stageHitch(text: string): Promise<void> {
    await this.#hitchConf.stage(text);
    try {
      await this.#options.hitch.control.check(this.#hitchConf.candidatePath);
    } catch (error) {
      await this.#hitchConf.dropCandidate();
      throw error;
    }
  }

  /** Installs the staged text and keeps it only if `activate` succeeds. */
  async #withRollback(child: ChildName, file: ConfigFile, activate: () => Promise<void>): Promise<void> {
    try {
      await file.install();
      await activate();
    } catch (error) {
      const restored = await file.restore().catch(() => false);
      const declined = error instanceof ApplyError && error.code === "REFUSED";
      if (!restored || !declined) this.#forgetText(child);
      throw error;
    }
    await file.accept();
  }

  /** Nobody knows which text the child runs now, so whatever is wanted next counts as a change. */
  #forgetText(child: ChildName): void {
    const { hitch, balance } = this.#applied;
    if (child === "hitch" && hitch !== undefined)
      this.#applied = { ...this.#applied, hitch: { ...hitch, conf: "" } };
    if (child === "balance" && balance !== undefined)
      this.#applied = { ...this.#applied, balance: { conf: "" } };
  }

  async #removeCertificates(keep: ReadonlySet<string>): Promise<void> {
    const { fs, certDir } = this.#options;
    for (const name of await fs.list(certDir)) {
      const path = join(certDir, name);
      if (!keep.has(path)) await fs.remove(path);
    }
  }

  #nextHitchReload(): number | undefined {
    const { clock, reloadIntervalMs } = this.#options;
    const next = this.#hitchReloadedAt + reloadIntervalMs;
    return next > clock.now() ? next : undefined;
  }
}

function reportFailure(step: Step & { type: "hitch" | "balance" }, error: ApplyError): ReloadReport {
  const results = {
    REFUSED: "refused",
    UNVERIFIED: "unverified",
    WRITE_FAILED: "failed",
    NOT_RUNNING: "failed",
  } as const;
  return { child: step.type, reason: step.reason, result: results[error.code], message: error.message };
}
