// SPDX-License-Identifier: Apache-2.0
/** report.ts ARCHIVE: size of each part of an image (OCI archive), as it is, with gzip -9 and with zstd -19. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const AIMS = { gzip: 48_000_000, zstd: 36_000_000, elf: 8 * 1024 * 1024 };

interface Manifest {
  readonly layers: readonly { readonly digest: string }[];
  readonly manifests: readonly { readonly digest: string }[];
}

const PARTS: readonly (readonly [string, RegExp])[] = [
  ["Node", /^usr\/lib\/evener\/lib\/node$/],
  ["shared libraries", /^(lib|lib64|usr\/lib\/[^/]*-linux-gnu)\//],
  ["data plane", /^usr\/lib\/evener\/bin\//],
  ["controller", /^usr\/lib\/evener\/lib\//],
  ["init", /^usr\/bin\//],
  ["CA certificates", /^etc\/ssl\//],
  ["licences, SBOM", /^usr\/share\//],
  ["rest", /^/],
];

const archive = process.argv[2] ?? "";
const dir = mkdtempSync(join(tmpdir(), "evener-report-"));
try {
  report();
} finally {
  rmSync(dir, { recursive: true });
}

function report(): void {
  execFileSync("tar", ["-xf", archive, "-C", dir]);
  const read = (digest: string) =>
    JSON.parse(readFileSync(join(dir, "blobs", digest.replace(":", "/")), "utf8")) as Manifest;
  const index = JSON.parse(readFileSync(join(dir, "index.json"), "utf8")) as Manifest;
  const manifest = read(index.manifests[0]?.digest ?? "");
  const root = join(dir, "root");
  execFileSync("mkdir", [root]);
  const layers: Sizes[] = [];
  for (const { digest } of manifest.layers) {
    const blob = join(dir, "blobs", digest.replace(":", "/"));
    layers.push(measure(`gzip -dc ${blob}`));
    execFileSync("tar", ["-xzf", blob, "-C", root]);
  }
  const files = execFileSync("find", [root, "-type", "f", "-printf", "%P\n"], { encoding: "utf8" });
  const parts = new Map<string, string[]>(PARTS.map(([name]) => [name, []]));
  for (const file of files
    .split("\n")
    .filter((line) => line !== "")
    .sort()) {
    const part = PARTS.find(([, pattern]) => pattern.test(file))?.[0] ?? "rest";
    parts.get(part)?.push(file);
  }
  row("part", "bytes", "gzip -9", "zstd -19");
  for (const [name, members] of parts) {
    if (members.length === 0) continue;
    const { plain, gzip, zstd } = measure(`cd ${root}; cat ${members.map((file) => `'${file}'`).join(" ")}`);
    row(name, plain, gzip, zstd);
  }
  console.log();
  for (const [i, { plain, gzip, zstd }] of layers.entries()) row(`layer ${i + 1}`, plain, gzip, zstd);
  const sum = (key: keyof Sizes) => layers.reduce((total, layer) => total + layer[key], 0);
  row("image", sum("plain"), sum("gzip"), sum("zstd"));
  const pushed = manifest.layers.reduce((total, { digest }) => total + blobSize(digest), 0);
  console.log(`\nas pushed (the tool's own gzip): ${pushed.toLocaleString("en")}`);
  const elf = statSync(join(root, "usr/lib/evener/bin/hitch")).size;
  judge("image, gzip -9", sum("gzip"), AIMS.gzip);
  judge("image, zstd -19", sum("zstd"), AIMS.zstd);
  judge("data-plane ELF", elf, AIMS.elf);
}

interface Sizes {
  readonly plain: number;
  readonly gzip: number;
  readonly zstd: number;
}

/** Sizes of what a shell command writes. */
function measure(command: string): Sizes {
  const count = (pipe: string) =>
    Number(execFileSync("sh", ["-c", `{ ${command}; } ${pipe}| wc -c`], { encoding: "utf8" }));
  return { plain: count(""), gzip: count("| gzip -9 "), zstd: count("| zstd -q -19 -T0 ") };
}

function blobSize(digest: string): number {
  return statSync(join(dir, "blobs", digest.replace(":", "/"))).size;
}

function row(name: string, ...cells: (number | string)[]): void {
  const texts = cells.map((cell) =>
    (typeof cell === "number" ? cell.toLocaleString("en") : cell).padStart(14),
  );
  console.log(`${name.padEnd(18)}${texts.join("")}`);
}

function judge(what: string, size: number, aim: number): void {
  const ok = size <= aim;
  console.log(
    `${what}: ${(size / 1e6).toFixed(1)} MB, aim ${(aim / 1e6).toFixed(1)}: ${ok ? "met" : "MISSED"}`,
  );
  if (!ok) process.exitCode = 1;
}
