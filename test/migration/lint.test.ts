// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { formatReport } from "../../src/lint/format.ts";
import { lintManifest, listManifests, MIGRATION, OUT, readManifest } from "./cases.ts";

const WRITE = process.env.EVENER_GOLDEN === "write";

describe("what lint says of Ingresses for ingress-nginx", () => {
  const names = listManifests();
  test("there are enough of them", () => assert.ok(names.length >= 30));

  for (const name of names) {
    const file = join(OUT, name.replace(/\.yaml$/, ".txt"));
    test(name, async () => {
      const report = await lintManifest(name);
      const text = formatReport(report);
      if (WRITE) writeFileSync(file, text);
      assert.equal(
        text,
        existsSync(file) ? readFileSync(file, "utf8") : "",
        `${file} (EVENER_GOLDEN=write writes it anew)`,
      );
      // Whoever reads it has to find every annotation that has no effect.
      const annotations = [...readManifest(name).matchAll(/nginx\.ingress\.kubernetes\.io\/([a-z-]+)/g)];
      const told = report.ingresses
        .flatMap(({ findings }) => findings)
        .map(({ field, message }) => `${field} ${message}`);
      for (const [whole] of annotations) {
        const isTold = told.some((one) => one.includes(whole));
        assert.ok(isTold || isSilent(whole), `${whole} is neither told about nor known to have its effect`);
      }
    });
  }

  test("nothing else is in the golden directory", () => {
    assert.deepEqual(
      readdirSync(OUT).sort(),
      names.map((name) => name.replace(/\.yaml$/, ".txt")),
    );
  });

  test("of another class nothing is said but that", async () => {
    const report = await lintManifest("01-plain.yaml", { ...MIGRATION, ingressClass: "evener" });
    assert.deepEqual(
      report.ingresses.map(({ verdict, findings }) => [verdict, findings.map(({ reason }) => reason)]),
      [["other-class", ["ClassMismatch"]]],
    );
    assert.deepEqual([report.errors, report.warnings], [0, 0]);
  });
});

/** Those that have their effect here, or ask for what happens anyway, in the manifests of this directory, and so need no word. */
const SILENT = `
  allowlist-source-range app-root auth-tls-pass-certificate-to-upstream auth-tls-secret auth-tls-verify-client backend-protocol
  denylist-source-range force-ssl-redirect limit-connections permanent-redirect permanent-redirect-code proxy-body-size
  proxy-connect-timeout proxy-read-timeout proxy-request-buffering service-upstream ssl-passthrough ssl-redirect temporal-redirect upstream-hash-by
  whitelist-source-range`;

function isSilent(name: string): boolean {
  return SILENT.trim()
    .split(/\s+/)
    .includes(name.slice(name.indexOf("/") + 1));
}
