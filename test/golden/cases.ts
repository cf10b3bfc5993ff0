// SPDX-License-Identifier: Apache-2.0
/**
 * A case is a directory: `in/` holds manifests, `case.yaml` says what it is about and may set settings and
 * certificates, `out/` is what must come out. In manifests `${crt:NAME}`, `${crt:NAME+CHAIN}` and `${key:NAME}` stand
 * for base64 of freshly made PEM (`${text-crt:NAME}` for the PEM itself, quoted); in the output the hash of a certificate reads as its Secret's name.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { renderManifests } from "../../src/cli/render.ts";
import { DEFAULT_TLS_SETTINGS } from "../../src/model/tls-settings.ts";
import type { Ir, ModelSettings } from "../../src/model/types.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { splitDocuments } from "../../src/store/split-documents.ts";
import { type CertificateSpec, makeCertificates } from "../helpers/certificates.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

export const GOLDEN_DIR = import.meta.dirname;

export interface GoldenCase {
  readonly name: string;
  readonly dir: string;
  readonly about: string;
  readonly settings: ModelSettings;
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

interface CaseFile {
  readonly about: string;
  readonly settings?: Partial<ModelSettings>;
  readonly certificates?: Record<string, CertificateSpec>;
}

/** What a case says of TLS is in addition to the defaults. */
function withTls(settings: ModelSettings): ModelSettings {
  const { tls } = settings;
  return tls === undefined ? settings : { ...settings, tls: { ...DEFAULT_TLS_SETTINGS, ...tls } };
}

export function listCases(): readonly string[] {
  return readdirSync(GOLDEN_DIR, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export async function loadCase(name: string): Promise<GoldenCase> {
  const dir = join(GOLDEN_DIR, name);
  const about = parse(readFileSync(join(dir, "case.yaml"), "utf8")) as CaseFile;
  const certificates = await makeCertificates(about.certificates ?? {});
  const lookUp = (kind: "crt" | "key", names: string): string => {
    const pem = names.split("+").map((one) => {
      const made = certificates.get(one);
      if (made === undefined) throw new Error(`${name}: no certificate is named ${one}`);
      return made[kind];
    });
    return Buffer.from(pem.join("")).toString("base64");
  };
  const files = readdirSync(join(dir, "in"))
    .sort()
    .map((file) => ({
      name: file,
      text: readFileSync(join(dir, "in", file), "utf8").replace(
        /\$\{(text-)?(crt|key):([^}]+)\}/g,
        (_all, text: string | undefined, kind: "crt" | "key", names: string) => {
          const base64 = lookUp(kind, names);
          return text === undefined ? base64 : JSON.stringify(Buffer.from(base64, "base64").toString());
        },
      ),
    }));
  return { name, dir, about: about.about, settings: withTls({ ...SETTINGS, ...about.settings }), files };
}

/** Output by file name, certificates under stable names. */
export function runCase(golden: GoldenCase, files = golden.files): ReadonlyMap<string, string> {
  const parsed = files.map(({ text, name }) => parseManifests(text, name));
  const output = renderManifests(parsed, golden.settings, NOW);
  return new Map([...output.files].map(([name, text]) => [name, labelCertificates(text, output.ir)]));
}

function labelCertificates(text: string, { hitch }: Ir): string {
  let labelled = text;
  for (const { clients } of hitch.certificates) {
    if (clients !== undefined) labelled = labelled.replaceAll(clients.ca.id, "<client CA>");
  }
  for (const { id, source } of [...hitch.certificates, hitch.defaultCertificate]) {
    const label = `<${source?.namespace}/${source?.name}>`;
    if (source !== undefined) labelled = labelled.replaceAll(id, label);
  }
  return labelled;
}

export function readExpected(dir: string, file: string): string | undefined {
  const path = join(dir, "out", file);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** The same documents in another order, file by file and file against file. */
export function shuffleFiles(files: GoldenCase["files"], seed: number): GoldenCase["files"] {
  const random = seededRandom(seed);
  const shuffled = files.map(({ name, text }) => ({ name, text: shuffleText(name, text, random) }));
  return shuffle(shuffled, random);
}

function shuffleText(name: string, text: string, random: () => number): string {
  // Faults are told by line, and JSON has one document only: neither can change places.
  if (name.startsWith("broken") || name.endsWith(".json")) return text;
  const documents = splitDocuments(text).map((document) => document.text.replace(/^---[^\n]*\n/, ""));
  return shuffle(documents, random)
    .map((document) => `---\n${document}`)
    .join("");
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** mulberry32: a failure can be repeated by its seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
