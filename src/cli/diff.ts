// SPDX-License-Identifier: Apache-2.0
/** `evener diff`: what would change in the rendered files. They hold no keys, only hashes of them, and nothing else is read. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelSettings } from "../model/types.ts";
import { describeChange } from "../render/describe-change.ts";
import { SettingsError } from "./flags.ts";
import { readInputs } from "./inputs.ts";
import { PLACEHOLDER_CERTIFICATE, renderManifests } from "./render.ts";

export type Side =
  | { readonly kind: "manifests"; readonly path: string }
  /** The health port's /debug/config. */
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "run-dir"; readonly dir: string };

export interface DiffOptions {
  readonly old: Side;
  readonly new: Side;
  readonly model: ModelSettings;
}

const SAME = 0;
const DIFFERENT = 1;
const TROUBLE = 2;

const FILES = ["hitch.conf", "balance.conf"] as const;
type Texts = Readonly<Record<(typeof FILES)[number], string>>;

const TIMEOUT_MS = 10_000;
/** A configuration for a hundred thousand rules is smaller. */
const MAX_BYTES = 64 * 1024 * 1024;

export async function runDiff(options: DiffOptions, now = new Date()): Promise<number> {
  try {
    const before = await readSide(options.old, options.model, now);
    const after = await readSide(options.new, options.model, now);
    const patch = describeChanges(before, after);
    process.stdout.write(patch);
    return patch === "" ? SAME : DIFFERENT;
  } catch (error) {
    process.stderr.write(`evener: ${error instanceof Error ? error.message : String(error)}\n`);
    return TROUBLE;
  }
}

/** A unified diff of both files; empty when they say the same. */
export function describeChanges(before: Texts, after: Texts): string {
  return FILES.map((name) => describeChange(name, before[name], after[name])).join("");
}

async function readSide(side: Side, model: ModelSettings, now: Date): Promise<Texts> {
  switch (side.kind) {
    case "manifests": {
      const { files } = renderManifests(await readInputs([side.path]), model, now);
      return pick((name) => files.get(name));
    }
    case "url": {
      const files = splitFiles(await fetchText(side.url));
      return withoutGenerated(pick((name) => files.get(name), side.url));
    }
    case "run-dir": {
      const texts = await Promise.all(FILES.map((name) => readFile(join(side.dir, name), "utf8")));
      return withoutGenerated(pick((name) => texts[FILES.indexOf(name)]));
    }
  }
}

function pick(find: (name: (typeof FILES)[number]) => string | undefined, where = "the manifests"): Texts {
  const read = (name: (typeof FILES)[number]): string => {
    const text = find(name);
    if (text === undefined) throw new Error(`${where} has no ${name}`);
    return text;
  };
  return { "hitch.conf": read("hitch.conf"), "balance.conf": read("balance.conf") };
}

/**
 * A running Evener without a default certificate has made itself one, which no manifest says anything of. It is the last one in
 * hitch.conf, and stands nowhere else.
 */
function withoutGenerated(texts: Texts): Texts {
  const hitch = texts["hitch.conf"];
  const paths = [...hitch.matchAll(/^pem-file = "(.*\/)([0-9a-f]{64})\.pem"$/gm)];
  const [line = "", dir = "", id = ""] = paths.at(-1) ?? [];
  if (line === "" || hitch.split(id).length !== 2 || !hitch.trimEnd().endsWith(line)) return texts;
  return {
    ...texts,
    "hitch.conf": hitch.replace(line, `pem-file = "${dir}${PLACEHOLDER_CERTIFICATE.id}.pem"`),
  };
}

/** What /debug/config prints: `==> NAME <==`, then the file. */
export function splitFiles(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^==> ([a-z.]{1,40}) <==\n/m);
  const files = new Map<string, string>();
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const isLast = i + 2 >= parts.length;
    const body = parts[i + 1] ?? "";
    // A line break of its own stands between two files.
    files.set(parts[i] ?? "", isLast ? body : body.replace(/\n$/, ""));
  }
  return files;
}

async function fetchText(url: string): Promise<string> {
  if (!/^https?:\/\//.test(url)) throw new SettingsError("--against wants an http or https URL");
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`${url} answers with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
