// SPDX-License-Identifier: Apache-2.0
/** `evener lint`: what Evener will do with each Ingress, and what it ignores and why. */
import { assumeMissing } from "../lint/assume.ts";
import { formatReport } from "../lint/format.ts";
import { lint } from "../lint/lint.ts";
import type { ModelSettings, Problem, Store } from "../model/types.ts";
import { assembleStore } from "../store/assemble-store.ts";
import { readInputs } from "./inputs.ts";
import { PLACEHOLDER_CERTIFICATE } from "./render.ts";

export const LINT_OUTPUTS = ["text", "json"] as const;

export interface LintOptions {
  readonly inputs: readonly string[];
  /** A live cluster instead; the file may be absent. */
  readonly cluster: { readonly kubeconfig?: string } | undefined;
  readonly output: (typeof LINT_OUTPUTS)[number];
  readonly strict: boolean;
  readonly model: ModelSettings;
}

const WARNINGS = 1;
const ERRORS = 2;

export async function runLint(options: LintOptions, now = new Date()): Promise<number> {
  const { store, problems, isWhole } = await gather(options);
  const whole = { store, kinds: [], silent: new Set<string>() };
  const assumed = isWhole ? whole : await assumeMissing(store, now);
  const report = lint({
    store: assumed.store,
    problems,
    settings: options.model,
    fallbackCertificate: PLACEHOLDER_CERTIFICATE,
    now,
    assumed: assumed.kinds,
    silent: assumed.silent,
  });
  process.stdout.write(
    options.output === "json" ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report),
  );
  if (report.errors > 0) return ERRORS;
  return options.strict && report.warnings > 0 ? WARNINGS : 0;
}

interface Gathered {
  readonly store: Store;
  readonly problems: readonly Problem[];
  /** What is not there does not exist. */
  readonly isWhole: boolean;
}

async function gather({ inputs, cluster, model }: LintOptions): Promise<Gathered> {
  if (cluster === undefined) return { ...assembleStore(await readInputs(inputs)), isWhole: false };
  // Loaded here, so that manifests do not pay for the cluster client.
  const { readCluster } = await import("./read-cluster.ts");
  return { ...(await readCluster(cluster.kubeconfig, model)), isWhole: true };
}
