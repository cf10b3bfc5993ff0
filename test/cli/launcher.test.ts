// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LAUNCHER = join(ROOT, "dist/bin/evener");
const skip = existsSync(LAUNCHER) ? false : "needs dist/bin/evener: make build";

describe("dist/bin/evener", { skip }, () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };

  test("starts from anywhere, through symbolic links, with no Node in PATH", async () => {
    const dir = mkdtempSync(join(tmpdir(), "evener-bin-"));
    try {
      symlinkSync(LAUNCHER, join(dir, "absolute"));
      symlinkSync("absolute", join(dir, "relative"));
      for (const name of ["absolute", "relative"]) {
        const options = { cwd: dir, env: { PATH: "/usr/bin:/bin" }, extendEnv: false };
        const { stdout } = await execa(join(dir, name), ["--version"], options);
        assert.equal(stdout, version);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test("the bundle renders as the sources do", async () => {
    const argv = [
      "render",
      "-f",
      join(ROOT, "examples/ingress.yaml"),
      "-f",
      join(ROOT, "examples/services.yaml"),
    ];
    const bundled = await execa(LAUNCHER, argv);
    const direct = await execa(process.execPath, [join(ROOT, "src/cli/main.ts"), ...argv]);
    assert.equal(bundled.stdout, direct.stdout);
  });
});
