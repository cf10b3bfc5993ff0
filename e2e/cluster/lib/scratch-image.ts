// SPDX-License-Identifier: Apache-2.0
/** Images of a single static program, as `docker save` would write them. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

const SOURCES = join(import.meta.dirname, "../images");
const FLAGS = ["-std=gnu11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror"];

/** Compiles `images/NAME.c`; the program's path. */
export async function compileStatic(name: string, dir: string): Promise<string> {
  const program = join(dir, name);
  await execa("gcc", [...FLAGS, "-o", program, join(SOURCES, `${name}.c`)]);
  return program;
}

/** FROM scratch, COPY PROGRAM /NAME, ENTRYPOINT; the archive's path. */
export async function makeScratchImage(name: string, program: string, tag: string): Promise<string> {
  const dir = `${program}-image`;
  await mkdir(join(dir, "root"), { recursive: true });
  await copyFile(program, join(dir, "root", name));
  const layer = join(dir, "layer.tar");
  await execa("tar", ["-C", join(dir, "root"), "--owner=0", "--group=0", "-cf", layer, name]);
  const digest = createHash("sha256")
    .update(await readFile(layer))
    .digest("hex");
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Entrypoint: [`/${name}`], User: "65532:65532" },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: "config.json", RepoTags: [tag], Layers: ["layer.tar"] }];
  await writeFile(join(dir, "config.json"), JSON.stringify(config));
  await writeFile(join(dir, "manifest.json"), JSON.stringify(manifest));
  const archive = `${program}.tar`;
  await execa("tar", ["-C", dir, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
  return archive;
}
