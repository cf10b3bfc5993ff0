// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { compare } from "../../bench/guard/compare.ts";
import { measureFigures } from "../../bench/guard/figures.ts";

const toolchain = "x gcc 1";
const verdictsOf = (before: number, now: number, other = toolchain, name = "instructions") =>
  compare({ toolchain, figures: { [name]: before } }, other, { [name]: now }).map(({ verdict }) => verdict);

describe("comparison with the baseline", () => {
  it("lets three per cent pass", () => {
    assert.deepEqual(verdictsOf(10_000, 10_299), ["same"]);
    assert.deepEqual(verdictsOf(10_000, 10_301), ["worse"]);
    assert.deepEqual(verdictsOf(10_000, 9_699), ["better"]);
  });

  it("takes one system call more for worse", () => {
    assert.deepEqual(verdictsOf(7, 8, toolchain, "system calls"), ["worse"]);
    assert.deepEqual(verdictsOf(7, 7.02, toolchain, "system calls"), ["same"]);
  });

  it("compares instructions of one toolchain only", () => {
    assert.deepEqual(verdictsOf(10_000, 20_000, "x gcc 2"), ["not compared"]);
    assert.deepEqual(verdictsOf(7, 9, "x gcc 2", "system calls"), ["worse"]);
    assert.deepEqual(
      compare({ toolchain, figures: {} }, toolchain, { new: 1 }).map(({ verdict }) => verdict),
      ["not compared"],
    );
  });
});

describe("a planted slow-down", () => {
  /** The product with one more system call for each recvfrom(2), put in by the linker. */
  it("is seen", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "evener-planted-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const source = join(dir, "planted.c");
    writeFileSync(
      source,
      `#include <sys/socket.h>
#include <unistd.h>
ssize_t __real_recv(int, void *, size_t, int);
ssize_t __wrap_recv(int fd, void *at, size_t n, int flags)
{
	(void)getppid();
	return __real_recv(fd, at, n, flags);
}
`,
    );
    const object = join(dir, "planted.o");
    execFileSync("gcc", ["-O2", "-fno-pie", "-c", "-o", object, source]);
    const bin = join(dir, "bin");
    execFileSync("vendor/link.sh", {
      env: { ...process.env, EVENER_BIN: bin, EVENER_LINK_EXTRA: `-Wl,--wrap=recv ${object}` },
      stdio: "pipe",
    });
    const row = "HTTP lane: system calls";
    const before = await measureFigures(resolve("dist/bin"), row);
    const now = await measureFigures(bin, row);
    const verdicts = compare({ toolchain, figures: before }, toolchain, now);
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      ["worse"],
      JSON.stringify(verdicts),
    );
  });
});
