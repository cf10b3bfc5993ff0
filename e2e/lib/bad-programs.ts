// SPDX-License-Identifier: Apache-2.0
/** Directories with Hitch and Balance elsewhere than in dist, and behind scripts that misbehave on request. */
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const DIST = join(import.meta.dirname, "../../dist/bin");

/** Run by root, the children are nobody, who can get here, and perhaps not to where this clone is. */
export async function copyPrograms(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "evener-bin-"));
  t.after(() => rm(dir, { recursive: true }));
  await chmod(dir, 0o755);
  for (const name of ["hitch", "balance"]) await copyFile(join(DIST, name), join(dir, name));
  return dir;
}

async function makeBinDir(t: TestContext, scripts: Record<string, (dir: string) => string>): Promise<string> {
  const real = await copyPrograms(t);
  const dir = join(real, "scripts");
  await mkdir(dir);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(dir, name), `#!/bin/sh\n${script(dir)}exec ${real}/${name} "$@"\n`);
    await chmod(join(dir, name), 0o755);
  }
  return dir;
}

/** They start only while the file `gate` is absent. */
export async function makeGatedPrograms(t: TestContext): Promise<{ bin: string; gate: string }> {
  const wait = (dir: string) => `while [ -e ${dir}/gate ]; do sleep 0.05; done\n`;
  const bin = await makeBinDir(t, { hitch: wait, balance: wait });
  return { bin, gate: join(bin, "gate") };
}

/** `hitch --test` always agrees: what it would have found is found by the reload. */
export function makeTestlessHitch(t: TestContext): Promise<string> {
  return makeBinDir(t, { hitch: () => '[ "$1" = --test ] && exit 0\n', balance: () => "" });
}
