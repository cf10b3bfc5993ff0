// SPDX-License-Identifier: Apache-2.0
// The image for arm64, cross-built: its programs under qemu's user emulation.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Image, ROOT, unpackImage, whySkip } from "./lib/archive.ts";

const QEMU = "qemu-aarch64-static";
const noQemu = spawnSync(QEMU, ["--version"]).status === 0 ? false : `no ${QEMU}`;

describe("the image for arm64", { skip: whySkip("arm64") || noQemu }, () => {
  let image: Image;
  before(() => {
    image = unpackImage("arm64");
  });
  after(() => image.remove());

  const file = (path: string) => join(image.rootfs, path);
  const run = (path: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(QEMU, ["-L", image.rootfs, file(path), ...args], {
      encoding: "utf8",
    });
    return { status, text: stdout + stderr };
  };

  it("says so, and holds programs for nothing else", () => {
    assert.equal(image.architecture, "arm64");
    const names = execFileSync("find", [image.rootfs, "-type", "f", "-perm", "-100"], { encoding: "utf8" });
    for (const name of names.trim().split("\n")) {
      assert.match(
        execFileSync("file", ["-b", name], { encoding: "utf8" }),
        /^ELF 64-bit LSB.*ARM aarch64/,
        name,
      );
    }
  });

  it("runs hitch and balance", () => {
    assert.match(run("usr/lib/evener/bin/hitch", "--version").text, /^hitch 1\.8\.0/);
    assert.match(run("usr/lib/evener/bin/balance", "--help").text, /usage: balance/);
  });

  it("runs the controller with the libraries it brings", () => {
    const bundle = file("usr/lib/evener/lib/evener.mjs");
    const { status, text } = run("usr/lib/evener/lib/node", bundle, "render", "-f", join(ROOT, "examples"));
    assert.equal(status, 0, text);
    assert.match(text, /==> hitch\.conf <==/);
  });

  it("has an init that starts the controller", () => {
    // Not process 1 here, and nothing where it looks: it says what it would have started.
    const { status, text } = run("usr/bin/evener", "--version");
    assert.equal(status, 127);
    assert.match(text, /^evener: \/usr\/lib\/evener\/lib\/node: /);
  });
});
