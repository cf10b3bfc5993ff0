// SPDX-License-Identifier: Apache-2.0
/** Tests and reloads Hitch's configuration, and finds out whether the reload took place. */
import { type Clock, pause } from "../clock.ts";
import { ApplyError, messageOf } from "./errors.ts";
import { fingerprintLeaf } from "./fingerprint.ts";
import type { ServedCertificate } from "./plan.ts";

/** What reloading needs of the running Hitch. */
export interface HitchProcess {
  readonly pid: number | undefined;
  signal(name: NodeJS.Signals): boolean;
  /** Calls `listener` with every line of Hitch's log; returns the function that ends it. */
  onLine(listener: (line: string) => void): () => void;
}

export interface HitchDependencies {
  readonly hitch: HitchProcess;
  readonly clock: Clock;
  /** `hitch --test`: exit code and last lines. */
  readonly test: (configPath: string) => Promise<{ readonly ok: boolean; readonly message: string }>;
  readonly listWorkers: (master: number) => Promise<readonly number[]>;
  /** Fingerprint of the certificate served for a name. */
  readonly probe: (servername: string | undefined) => Promise<string>;
  readonly timeoutMs?: number;
}

/** Hitch 1.8.0 says this, with or without the reason, and goes on with the old configuration. */
const REFUSAL = /Config reload failed(?:: (.*\S))?/;
/** Time after which a reload that left no trace is asked for again. */
const RESIGNAL_MS = 1000;
const POLL_MS = 20;

export class HitchControl {
  readonly #deps: HitchDependencies;
  /** Workers of each generation started by a reload, oldest first; the last one is current. */
  #generations: Set<number>[] = [];

  constructor(deps: HitchDependencies) {
    this.#deps = deps;
  }

  /** Throws REFUSED when Hitch would not take this file. */
  async check(configPath: string): Promise<void> {
    const { ok, message } = await this.#deps.test(configPath);
    if (!ok) throw new ApplyError("REFUSED", message);
  }

  /** Throws REFUSED when Hitch kept its old configuration, UNVERIFIED when it did not show that it runs the new one. */
  async reload(verify: readonly ServedCertificate[]): Promise<void> {
    const { hitch, clock } = this.#deps;
    const master = hitch.pid;
    if (master === undefined) throw new ApplyError("NOT_RUNNING", "Hitch is not running");
    const deadline = clock.now() + (this.#deps.timeoutMs ?? 10_000);
    const before = new Set(await this.#deps.listWorkers(master));
    let refusal: string | undefined;
    const stop = hitch.onLine((line) => {
      const match = REFUSAL.exec(line);
      if (match !== null) refusal = match[1] ?? "Hitch gave no reason";
    });
    try {
      await this.#waitForWorkers(master, before, deadline, () => refusal);
      await this.verify(verify, deadline);
    } finally {
      stop();
    }
  }

  /** How many generations of workers live: 1, and one more for each that still has connections. */
  async countGenerations(): Promise<number> {
    const master = this.#deps.hitch.pid;
    if (master === undefined) return 0;
    const living = new Set(await this.#deps.listWorkers(master));
    const older = this.#generations.filter((workers) => [...workers].some((pid) => living.has(pid)));
    this.#generations = older;
    const known = new Set(older.flatMap((workers) => [...workers]));
    return older.length + ([...living].some((pid) => !known.has(pid)) ? 1 : 0);
  }

  /** A new master has no old generations. */
  forgetGenerations(): void {
    this.#generations = [];
  }

  async #waitForWorkers(
    master: number,
    before: ReadonlySet<number>,
    deadline: number,
    refusal: () => string | undefined,
  ): Promise<void> {
    const { hitch, clock, listWorkers } = this.#deps;
    let signalled = Number.NEGATIVE_INFINITY;
    for (;;) {
      // The master checks its signal flag and then sleeps in pause(2): a signal between the two waits for the next one.
      if (clock.now() - signalled >= RESIGNAL_MS) {
        signalled = clock.now();
        if (!hitch.signal("SIGHUP"))
          throw new ApplyError("NOT_RUNNING", "Hitch ended before it could be reloaded");
      }
      await pause(clock, POLL_MS);
      const reason = refusal();
      if (reason !== undefined) throw new ApplyError("REFUSED", reason);
      if (hitch.pid !== master) throw new ApplyError("NOT_RUNNING", "Hitch ended during the reload");
      if ((await listWorkers(master)).some((pid) => !before.has(pid))) {
        this.#generations.push(new Set(before));
        return;
      }
      if (clock.now() >= deadline) throw new ApplyError("UNVERIFIED", "Hitch started no new workers");
    }
  }

  /** Old workers may take a few more connections, so a wrong answer is asked for again until the deadline. */
  async verify(served: readonly ServedCertificate[], deadline: number): Promise<void> {
    const { clock, probe } = this.#deps;
    for (const one of served) {
      const name = one.host?.replace("*", "evener-probe");
      const wanted = fingerprintLeaf(one.pem);
      for (;;) {
        const seen = await probe(name).catch((error: unknown) => messageOf(error));
        if (seen === wanted) break;
        if (clock.now() >= deadline) {
          throw new ApplyError(
            "UNVERIFIED",
            `for ${one.host ?? "an unknown name"} Hitch does not serve the certificate ${wanted} but: ${seen}`,
          );
        }
        await pause(clock, POLL_MS);
      }
    }
  }
}
