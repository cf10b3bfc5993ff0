// SPDX-License-Identifier: Apache-2.0
/** What is rendered is accepted by the programs that read it. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { execa } from "execa";
import { PLACEHOLDER_CERTIFICATE, renderManifests } from "../../src/cli/render.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { listCases, loadCase } from "../golden/cases.ts";
import { makeCertificates } from "../helpers/certificates.ts";
import { BALANCE, HITCH, skipWithoutDataPlane } from "../helpers/data-plane.ts";
import { NOW } from "../helpers/settings.ts";

describe("Hitch and Balance accept every golden case", { skip: skipWithoutDataPlane() }, () => {
  const runDir = mkdtempSync(join(tmpdir(), "evener-"));
  const certDir = join(runDir, "certs");
  // Hitch wants its backend's socket to exist.
  const backend = createServer();

  before(async () => {
    mkdirSync(certDir);
    const made = await makeCertificates({ default: { names: ["default.example"] } });
    const { crt = "", key = "" } = made.get("default") ?? {};
    writeFileSync(join(certDir, `${PLACEHOLDER_CERTIFICATE.id}.pem`), `${key}${crt}`);
    await new Promise<void>((resolve) => backend.listen(join(runDir, "balance.sock"), resolve));
  });

  after(() => {
    backend.close();
    rmSync(runDir, { recursive: true });
  });

  for (const name of listCases()) {
    test(name, async () => {
      const golden = await loadCase(name);
      const parsed = golden.files.map((file) => parseManifests(file.text, file.name));
      const { files, ir } = renderManifests(parsed, { ...golden.settings, runDir }, NOW);
      for (const { id, pem } of [...ir.hitch.certificates, ir.hitch.defaultCertificate]) {
        if (pem !== "") writeFileSync(join(certDir, `${id}.pem`), pem);
      }
      for (const { clients } of ir.hitch.certificates) {
        if (clients !== undefined) writeFileSync(join(certDir, `${clients.ca.id}.pem`), clients.ca.pem);
      }
      for (const file of ["hitch.conf", "balance.conf"])
        writeFileSync(join(runDir, file), files.get(file) ?? "");

      const hitch = await execa(HITCH, ["--test", `--config=${join(runDir, "hitch.conf")}`], {
        all: true,
        reject: false,
      });
      assert.equal(hitch.exitCode, 0, hitch.all);
      const balance = await execa(BALANCE, ["--config", join(runDir, "balance.conf"), "--test"], {
        all: true,
        reject: false,
      });
      assert.equal(balance.exitCode, 0, balance.all);
    });
  }
});
