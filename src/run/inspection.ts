// SPDX-License-Identifier: Apache-2.0
/** What there is to inspect while Evener runs, and where it can be seen. */
import { join } from "node:path";
import type { Applier } from "../apply/applier.ts";
import type { BalanceClient } from "../balance-client/client.ts";
import type { Clock } from "../clock.ts";
import { Generations } from "../inspect/generations.ts";
import { createInspector } from "../inspect/inspector.ts";
import { ReloadHistory } from "../inspect/reload-history.ts";
import { type PageSettings, startInspectionPage, startInspectionSocket } from "../inspect/server.ts";
import { INSPECT_SOCKET } from "../inspect/socket.ts";
import type { Controller, Latest } from "../loop/controller.ts";
import type { Logger } from "../report/log.ts";
import type { ChildState } from "../supervise/child-state.ts";
import { listFiles } from "./debug-view.ts";

export interface InspectionInput {
  readonly controller: Pick<Controller, "latest" | "problems">;
  readonly applier: Pick<Applier, "applied">;
  readonly client: BalanceClient;
  readonly missing: () => readonly string[];
}

/** Collects from the start on; it can be seen from `open` on. */
export class Inspection {
  readonly reloads = new ReloadHistory();
  readonly #generations = new Generations();
  readonly #children = new Map<string, { readonly phase: string; readonly pid?: number }>();
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  recordPid(name: string, pid: number): void {
    this.#children.set(name, { phase: this.#children.get(name)?.phase ?? "starting", pid });
  }

  recordState(name: string, { phase }: ChildState): void {
    if (phase === "stopped") {
      this.#children.delete(name);
      return;
    }
    const { pid } = this.#children.get(name) ?? {};
    const runs = phase === "starting" || phase === "ready" || phase === "draining";
    this.#children.set(name, { phase, ...(runs && pid !== undefined ? { pid } : {}) });
  }

  recordRebuild(latest: Latest | undefined): void {
    if (latest !== undefined) this.#generations.update(listFiles(latest.rendered), this.#clock.now());
  }

  /** Resolves to what closes it. */
  async open(
    runDir: string,
    page: PageSettings | undefined,
    { controller, applier, client, missing }: InspectionInput,
    log: Logger,
  ): Promise<() => Promise<void>> {
    const inspector = createInspector({
      clock: this.#clock,
      startedAt: this.#startedAt,
      latest: () => controller.latest,
      problems: () => controller.problems,
      missing,
      children: () => [...this.#children].map(([name, child]) => ({ name, ...child })),
      applier,
      client,
      generations: this.#generations,
      reloads: this.reloads,
    });
    const socket = await startInspectionSocket(join(runDir, INSPECT_SOCKET), inspector);
    if (page === undefined) return () => socket.stop();
    try {
      const { port, stop } = await startInspectionPage(page, inspector);
      log.info({ address: page.address, port }, "inspection page open");
      return async () => {
        await stop();
        await socket.stop();
      };
    } catch (error) {
      await socket.stop();
      throw error;
    }
  }
}
