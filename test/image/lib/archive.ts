// SPDX-License-Identifier: Apache-2.0
/** The image as a registry would hand it out: an OCI archive, unpacked. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");
export const ARCH = process.env.ARCH ?? "amd64";
const locate = (arch: string) => join(ROOT, `dist/image/evener-${arch}.tar`);

export function whySkip(arch: string): string | false {
  if (process.env.EVENER_TEST_IMAGE !== "1") return "make test-image";
  if (process.getuid?.() !== 0) return "namespaces need root here";
  return existsSync(locate(arch)) ? false : `the image is not built (make image ARCH=${arch})`;
}

export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

export interface Image {
  readonly dir: string;
  readonly rootfs: string;
  readonly config: ImageConfig;
  readonly architecture: string;
  /** The configuration's whole text. */
  readonly configText: string;
  remove(): void;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
  readonly manifests: readonly { readonly digest: string }[];
}

export function unpackImage(arch = ARCH): Image {
  const dir = mkdtempSync(join(tmpdir(), "evener-image-"));
  execFileSync("tar", ["-xf", locate(arch), "-C", dir]);
  const blob = (digest: string) => join(dir, "blobs", digest.replace(":", "/"));
  const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Manifest;
  const manifest = read(blob(read(join(dir, "index.json")).manifests[0]?.digest ?? ""));
  const rootfs = join(dir, "rootfs");
  mkdirSync(rootfs);
  for (const { digest } of manifest.layers) {
    execFileSync("tar", ["-xzf", blob(digest), "-C", rootfs, "--numeric-owner", "--same-owner"]);
  }
  const configText = readFileSync(blob(manifest.config.digest), "utf8");
  const { config, architecture } = JSON.parse(configText) as { config: ImageConfig; architecture: string };
  const remove = () => rmSync(dir, { recursive: true });
  return { dir, rootfs, config, architecture, configText, remove };
}
