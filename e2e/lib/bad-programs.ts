// SPDX-License-Identifier: Apache-2.0
/** Directories with the real Hitch and Balance behind scripts that misbehave on request. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const DIST = join(import.meta.dirname, "../../dist/bin");

async function makeBinDir(t: TestContext, scripts: Record<string, (dir: string) => string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "evener-bin-"));
  t.after(() => rm(dir, { recursive: true }));
  // Run by root, the children are nobody, who has to get here.
  await chmod(dir, 0o755);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(dir, name), `#!/bin/sh\n${script(dir)}exec ${DIST}/${name} "$@"\n`);
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
