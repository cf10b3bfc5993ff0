// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { renderManifests } from "../../src/cli/render.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { shuffleFiles } from "../golden/cases.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "evener-render-"));
after(() => rmSync(scratch, { recursive: true }));

function evener(...argv: string[]) {
  return execa(process.execPath, [MAIN, ...argv], { reject: false, env: { EVENER_WORKERS: "2" } });
}

describe("evener render", () => {
  test("writes three files, the same as it prints, and no key", async () => {
    const out = join(scratch, "out");
    const written = await evener("render", "-f", EXAMPLES, "--out", out);
    assert.equal(written.exitCode, 0, written.stderr);
    assert.deepEqual(readdirSync(out).sort(), ["balance.conf", "hitch.conf", "status.yaml"]);
    const printed = await evener("render", "-f", EXAMPLES);
    for (const file of readdirSync(out)) {
      assert.ok(`${printed.stdout}\n`.includes(readFileSync(join(out, file), "utf8").trimEnd()), file);
    }
    assert.doesNotMatch(printed.stdout, /PRIVATE KEY/);
  });

  test("reads files, directories and standard input together", async () => {
    const input = "apiVersion: v1\nkind: Service\nmetadata: { name: echo-a, namespace: demo }\nspec: {}\n";
    const run = execa(process.execPath, [MAIN, "render", "-f", join(EXAMPLES, "ingress.yaml"), "-f", "-"], {
      input,
    });
    const { stdout } = await run;
    assert.match(stdout, /ServicePortNotFound/);
    assert.match(stdout, /ServiceNotFound/);
  });

  test("says 2 with --strict when something was left out, and only then", async () => {
    const broken = join(scratch, "broken.yaml");
    writeFileSync(broken, "kind: [\n");
    const loose = await evener("render", "-f", broken);
    assert.equal(loose.exitCode, 0);
    assert.match(loose.stdout, /broken\.yaml line 1: /);
    assert.equal((await evener("render", "-f", broken, "--strict")).exitCode, 2);
    assert.equal((await evener("render", "-f", EXAMPLES, "--strict")).exitCode, 0);
  });

  const usage: readonly (readonly string[])[] = [
    [],
    ["render"],
    ["render", "-f"],
    ["render", "-f", "/does/not/exist"],
    ["render", "-f", EXAMPLES, "--https-port", "x"],
    ["render", "-f", EXAMPLES, "--http-port", "8443"],
    ["render", "-f", EXAMPLES, "--source", "kube"],
    ["serve"],
  ];
  for (const argv of usage) {
    test(`says 64 for: evener ${argv.join(" ").replace(EXAMPLES, "examples/")}`, async () => {
      const { exitCode, stderr } = await evener(...argv);
      assert.equal(exitCode, 64, stderr);
      assert.notEqual(stderr, "");
    });
  }

  test("--help and --version are no mistakes", async () => {
    for (const flag of ["--help", "--version"]) assert.equal((await evener(flag)).exitCode, 0);
  });

  test("gives the same bytes for every order of the examples", () => {
    const files = readdirSync(EXAMPLES)
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => ({ name, text: readFileSync(join(EXAMPLES, name), "utf8") }));
    const renderAll = (some: typeof files) =>
      renderManifests(
        some.map(({ name, text }) => parseManifests(text, name)),
        SETTINGS,
        NOW,
      ).files;
    const wanted = renderAll(files);
    for (let seed = 1; seed <= 50; seed++) {
      assert.deepEqual(renderAll([...shuffleFiles(files, seed)]), wanted, `seed ${seed}`);
    }
  });
});
