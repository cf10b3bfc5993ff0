// SPDX-License-Identifier: Apache-2.0
/** Manifests written for ingress-nginx after common patterns, and what `evener lint --ingress-class nginx` says of each. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PLACEHOLDER_CERTIFICATE } from "../../src/cli/render.ts";
import { assumeMissing } from "../../src/lint/assume.ts";
import { type LintReport, lint } from "../../src/lint/lint.ts";
import type { ModelSettings } from "../../src/model/types.ts";
import { assembleStore } from "../../src/store/assemble-store.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

const DIR = import.meta.dirname;
export const OUT = join(DIR, "out");

export const MIGRATION: ModelSettings = { ...SETTINGS, ingressClass: "nginx", sslPassthrough: true };

export function listManifests(): readonly string[] {
  return readdirSync(DIR)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
}

export function readManifest(name: string): string {
  return readFileSync(join(DIR, name), "utf8");
}

export async function lintManifest(name: string, settings = MIGRATION): Promise<LintReport> {
  const { store, problems } = assembleStore([parseManifests(readManifest(name), name)]);
  const assumed = await assumeMissing(store, NOW);
  const { kinds, silent } = assumed;
  const fallbackCertificate = PLACEHOLDER_CERTIFICATE;
  return lint({
    store: assumed.store,
    problems,
    settings,
    fallbackCertificate,
    now: NOW,
    assumed: kinds,
    silent,
  });
}
