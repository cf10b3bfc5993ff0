// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "evener-diff-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const FILES = ["ingress.yaml", "services.yaml", "ingress-class.yaml", "default-backend.yaml"];
const evener = (...argv: string[]) => execa(process.execPath, [MAIN, ...argv], { reject: false });

/** The examples with one more rule. */
function change(): string {
  const dir = join(scratch, "changed");
  mkdirSync(dir, { recursive: true });
  for (const file of FILES) copyFileSync(join(EXAMPLES, file), join(dir, file));
  const text = readFileSync(join(dir, "ingress.yaml"), "utf8");
  writeFileSync(join(dir, "ingress.yaml"), text.replaceAll("a.example", "z.example"));
  return dir;
}

async function serve(t: TestContext, text: string): Promise<string> {
  const server = createServer((_request, response) => response.end(text));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/debug/config`;
}

describe("evener diff", () => {
  test("says nothing and 0 for what comes to the same", async () => {
    const { exitCode, stdout, stderr } = await evener("diff", EXAMPLES, EXAMPLES);
    assert.deepEqual([exitCode, stdout, stderr], [0, "", ""]);
  });

  test("says line by line what would change, and 1", async () => {
    const { exitCode, stdout } = await evener("diff", EXAMPLES, change());
    assert.equal(exitCode, 1);
    assert.match(stdout, /^--- old\/balance\.conf\n\+\+\+ new\/balance\.conf\n@@ /m);
    assert.match(stdout, /^-rule web a\.example prefix \/ demo\/echo-a:80/m);
    assert.match(stdout, /^\+rule web z\.example prefix \/ demo\/echo-a:80/m);
    assert.doesNotMatch(stdout, /^[-+]hash /m);
  });

  test("compares with what runs, whose generated certificate is no difference", async (t) => {
    const out = join(scratch, "running");
    await evener("render", "-f", EXAMPLES, "--out", out);
    const hitch = readFileSync(join(out, "hitch.conf"), "utf8");
    const running = hitch.replace("/default.pem", `/${"ab".repeat(32)}.pem`);
    assert.notEqual(running, hitch);
    writeFileSync(join(out, "hitch.conf"), running);
    const same = await evener("diff", EXAMPLES, "--against-run-dir", out);
    assert.deepEqual([same.exitCode, same.stdout], [0, ""]);

    const text = ["hitch.conf", "balance.conf", "status.yaml"]
      .map((name) => `==> ${name} <==\n${readFileSync(join(out, name), "utf8")}`)
      .join("\n");
    const url = await serve(t, text);
    const live = await evener("diff", EXAMPLES, "--against", url);
    assert.deepEqual([live.exitCode, live.stdout], [0, ""]);
    const other = await evener("diff", change(), "--against", url);
    assert.equal(other.exitCode, 1);
    assert.match(other.stdout, /^-rule web a\.example/m);
  });

  test("says 2 when a side can't be read", async (t) => {
    const url = await serve(t, "nothing of use");
    const cases = [
      ["diff", "/does/not/exist", EXAMPLES],
      ["diff", EXAMPLES, "--against-run-dir", "/does/not/exist"],
      ["diff", EXAMPLES, "--against", url],
      ["diff", EXAMPLES, "--against", "http://127.0.0.1:9/debug/config"],
    ];
    for (const argv of cases) {
      const { exitCode, stderr, stdout } = await evener(...argv);
      assert.deepEqual([exitCode, stdout], [2, ""], argv.join(" "));
      assert.match(stderr, /^evener: /);
    }
  });

  test("says 64 for a wrong command line", async () => {
    for (const argv of [["diff"], ["diff", EXAMPLES], ["diff", EXAMPLES, EXAMPLES, EXAMPLES]]) {
      assert.equal((await evener(...argv)).exitCode, 64, argv.join(" "));
    }
  });
});
