// SPDX-License-Identifier: Apache-2.0
/** Everything the image ships, from the pins: what NOTICE, the SBOM and the licence texts are made of. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

export const ROOT = join(import.meta.dirname, "..");
export const DEBIAN_LOCK = join(ROOT, "docker/debian.lock");

export interface Component {
  readonly group: "program" | "npm" | "runtime" | "debian";
  readonly name: string;
  readonly version: string;
  /** SPDX licence expression. */
  readonly licence: string;
  /** Its licence texts, below /usr/share/licenses. */
  readonly texts: readonly string[];
  readonly purl: string;
  readonly url?: string;
  /** Of the archive it was taken from. */
  readonly checksum?: { readonly algorithm: "SHA256" | "SHA512"; readonly hex: string };
  /** Where a text below node_modules lies. */
  readonly dir?: string;
  readonly note?: string;
}

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
}

const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
export const VERSION = lock.packages[""]?.version ?? "0";

/** Docker's names for the machines we build for, in the words of the others. */
export const ARCHES = { amd64: "x64", arm64: "arm64" } as const;
export type Arch = keyof typeof ARCHES;

export async function listComponents(arch: Arch, debianLock = DEBIAN_LOCK): Promise<Component[]> {
  return [...listPrograms(), listNode(arch), ...listDebian(arch, debianLock), ...(await listBundled())];
}

/** Linked into the data-plane ELF and the init. */
function listPrograms(): Component[] {
  const text = execFileSync(join(ROOT, "vendor/list.sh"), { encoding: "utf8" });
  return lines(text).map((line) => {
    const [name = "", version = "", licence = "", hex = "", url = "", file = ""] = line.split("\t");
    const purl = `pkg:generic/${name}@${version}?download_url=${encodeURIComponent(url)}`;
    const checksum = { algorithm: "SHA256", hex } as const;
    return { group: "program", name, version, licence, texts: [`${name}/${file}`], purl, url, checksum };
  });
}

function listNode(arch: Arch): Component {
  const name = `node-linux-${ARCHES[arch]}`;
  const { version, checksum } = readLocked(`node_modules/${name}`);
  return {
    group: "runtime",
    name: "node",
    version,
    licence: "MIT",
    texts: ["node/LICENSE"],
    purl: `pkg:npm/${name}@${version}`,
    ...checksum,
    note: "the binary of this npm package, stripped; its LICENSE covers what Node itself contains",
  };
}

function listDebian(arch: Arch, file: string): Component[] {
  return lines(readFileSync(file, "utf8"))
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.split(" "))
    .filter(([, machine]) => machine === arch || machine === "all")
    .map(
      ([name = "", machine = "", version = "", source = "", sourceVersion = "", licence = "", hex = ""]) => ({
        group: "debian",
        name,
        version,
        licence: licence.replace("-WITH-", " WITH "),
        texts: [`debian/${name}/copyright`],
        purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${machine}&distro=debian-12`,
        checksum: { algorithm: "SHA256", hex },
        note: `unmodified files of this Debian package; source package ${source} ${sourceVersion}`,
      }),
    );
}

/** npm packages of which the bundle contains code; what is only a dependency is not shipped. */
async function listBundled(): Promise<Component[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["src/cli/main.ts"],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    outfile: "unused.mjs",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const dirs = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const dir = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (dir !== undefined && bytesInOutput > 0) dirs.add(dir);
    }
  }
  return [...dirs].sort().map(describeBundled);
}

function describeBundled(dir: string): Component {
  const name = dir.replace(/^.*node_modules\//, "");
  const { version, checksum } = readLocked(dir);
  const { license } = JSON.parse(readFileSync(join(ROOT, dir, "package.json"), "utf8")) as {
    license?: unknown;
  };
  if (typeof license !== "string") throw new Error(`${name} names no licence in its package.json`);
  const texts = readdirSync(join(ROOT, dir)).filter((file) =>
    /^((?:un)?licen[cs]e|copying|notice|copyright)/i.test(file),
  );
  if (texts.length === 0) throw new Error(`${name} brings no licence text`);
  return {
    group: "npm",
    name,
    version,
    licence: license,
    texts: texts.sort().map((text) => `npm/${name}@${version}/${text}`),
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    dir,
    ...checksum,
  };
}

function readLocked(path: string): { version: string; checksum: Pick<Component, "checksum"> } {
  const locked = lock.packages[path];
  if (locked === undefined) throw new Error(`package-lock.json has no ${path}`);
  const [algorithm, value] = (locked.integrity ?? "").split("-");
  if (algorithm !== "sha512" || value === undefined) throw new Error(`${path} is not locked by its SHA-512`);
  const hex = Buffer.from(value, "base64").toString("hex");
  return { version: locked.version, checksum: { checksum: { algorithm: "SHA512", hex } } };
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
