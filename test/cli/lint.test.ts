// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { LintReport } from "../../src/lint/lint.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const MIGRATION = fileURLToPath(new URL("../migration/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "evener-lint-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const evener = (...argv: string[]) => execa(process.execPath, [MAIN, ...argv], { reject: false });
const nginx = (name: string, ...more: string[]) =>
  evener("lint", "-f", join(MIGRATION, name), "--ingress-class", "nginx", ...more);

describe("evener lint", () => {
  test("says 0 where all is as it should be, also with --strict", async () => {
    const { exitCode, stdout } = await evener("lint", "-f", EXAMPLES, "--strict");
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /^3 Ingresses \(3 served\), 0 errors, 0 warnings$/m);
    assert.doesNotMatch(stdout, /PRIVATE KEY/);
  });

  test("says 1 for warnings, with --strict only", async () => {
    assert.equal((await nginx("14-cors.yaml")).exitCode, 0);
    assert.equal((await nginx("14-cors.yaml", "--strict")).exitCode, 1);
  });

  test("says 2 for errors", async () => {
    assert.equal((await nginx("07-basic-auth.yaml")).exitCode, 2);
    const broken = join(scratch, "broken.yaml");
    writeFileSync(broken, "kind: [\n");
    const { exitCode, stdout } = await evener("lint", "-f", broken);
    assert.equal(exitCode, 2);
    assert.match(stdout, /BrokenYaml: .*line 1/);
  });

  test("prints JSON that says the same", async () => {
    const { stdout } = await nginx("29-many-paths.yaml", "-o", "json");
    const report = JSON.parse(stdout) as LintReport;
    assert.deepEqual(report.assumed, ["Services", "Secrets"]);
    const [ingress] = report.ingresses;
    assert.equal(ingress?.verdict, "served");
    assert.deepEqual(ingress?.paths[2], {
      host: "many-paths.example",
      path: "= /api/v1/health",
      lane: "http",
      backend: "many-paths/health:8080",
      served: true,
      how: ["http goes to https"],
    });
  });

  test("takes an IngressClass of another controller for ours when it is named", async () => {
    const file = join(scratch, "class.yaml");
    const input =
      "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: nginx }\nspec: { controller: k8s.io/ingress-nginx }\n";
    writeFileSync(file, input);
    const asOurs = await nginx("01-plain.yaml", "-f", file);
    assert.match(asOurs.stdout, /^Ingress plain\/web \(class nginx\): served$/m);
    const asIs = await evener("lint", "-f", join(MIGRATION, "01-plain.yaml"), "-f", file);
    assert.match(asIs.stdout, /ClassMismatch: .*--ingress-class nginx/);
    assert.equal(asIs.exitCode, 0);
  });

  test("misses a Service where others are there", async () => {
    const input =
      "apiVersion: v1\nkind: Service\nmetadata: { name: other, namespace: plain }\nspec: { ports: [{ port: 80 }] }\n";
    const run = await execa(
      process.execPath,
      [MAIN, "lint", "-f", join(MIGRATION, "01-plain.yaml"), "-f", "-", "--ingress-class", "nginx"],
      { input, reject: false },
    );
    assert.equal(run.exitCode, 2);
    assert.match(run.stdout, /ERROR ServiceNotFound: /);
  });

  test("says 64 for a wrong command line", async () => {
    for (const argv of [
      ["lint"],
      ["lint", "-f", EXAMPLES, "--kube"],
      ["lint", "-f", EXAMPLES, "--kubeconfig", "x"],
      ["lint", "-f", EXAMPLES, "-o", "xml"],
      ["lint", "-f", "/does/not/exist"],
      ["lint", "--kube", "--kubeconfig", "/does/not/exist"],
    ]) {
      assert.equal((await evener(...argv)).exitCode, 64, argv.join(" "));
    }
  });
});
