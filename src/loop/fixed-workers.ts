// SPDX-License-Identifier: Apache-2.0
/**
 * Balance has as many workers as it started with, and refuses a configuration with another number. A TLSProfile may change the number while
 * we run: then Hitch has it at once, and Balance from our next start on.
 */

import { refOf } from "../model/refs.ts";
import { findTlsProfile } from "../model/tls-profiles.ts";
import type { Ir, ModelSettings, Problem, Store } from "../model/types.ts";

export interface Fixed {
  readonly ir: Ir;
  readonly problems: readonly Problem[];
}

export class FixedWorkers {
  #first: Pick<Ir["balance"], "workers" | "guests"> | undefined;

  apply(ir: Ir, store: Store, settings: ModelSettings): Fixed {
    const { workers: wanted, guests } = ir.balance;
    this.#first ??= { workers: wanted, ...(guests === undefined ? {} : { guests }) };
    const { workers } = this.#first;
    if (wanted === workers) return { ir, problems: [] };
    const profile = findTlsProfile(store, settings);
    const at =
      profile === undefined ? { ref: EVENER } : { ref: refOf("TLSProfile", profile), field: "spec.workers" };
    const message = `Balance goes on with ${workers} workers; it will have ${wanted} when Evener starts again`;
    const { guests: _, ...balance } = ir.balance;
    return {
      ir: { ...ir, balance: { ...balance, ...this.#first } },
      problems: [{ ...at, severity: "warning", reason: "RestartNeeded", message }],
    };
  }
}

/** The profile that said so is gone. */
const EVENER = { apiVersion: "evener.io/v1alpha1", kind: "Evener", name: "balance" } as const;
