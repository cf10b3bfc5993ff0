// SPDX-License-Identifier: Apache-2.0
/** The model says which certificate Hitch serves; here Hitch says so itself, at its start and after reloads. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { execa } from "execa";
import { buildModel } from "../../src/model/build-model.ts";
import { sha256 } from "../../src/model/certificate.ts";
import type { Certificate, Ir } from "../../src/model/types.ts";
import { renderHitch } from "../../src/render/render-hitch.ts";
import { assembleStore } from "../../src/store/assemble-store.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { type CertificateSpec, makeCertificates } from "../helpers/certificates.ts";
import { HITCH, skipWithoutDataPlane } from "../helpers/data-plane.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

const SPECS: Record<string, CertificateSpec> = {
  fallback: { names: ["fallback.example", "a.example"] },
  old: { names: ["a.example"] },
  young: { names: ["a.example", "b.example"] },
  younger: { names: ["a.example", "b.example", "c.example"] },
  renewed: { names: ["a.example", "b.example"] },
  wild: { names: ["*.example"] },
};
const MADE = await makeCertificates(SPECS);
const HOSTS = ["a.example", "b.example", "c.example", "d.example"];

/** Ingresses by age, each with its own certificate for all hosts. */
function build(runDir: string, port: number, names: Readonly<Record<number, string>>): Ir {
  const objects = Object.entries(names).flatMap(([year, name]) => [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: `i${year}`, creationTimestamp: `${year}-01-01T00:00:00Z` },
      spec: { ingressClassName: "evener", tls: [{ hosts: HOSTS, secretName: `s${year}` }] },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `s${year}` },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": MADE.get(name)?.crt, "tls.key": MADE.get(name)?.key },
    },
  ]);
  const { store } = assembleStore([
    parseManifests(JSON.stringify({ kind: "List", items: objects }), "x.json"),
  ]);
  const pem = `${MADE.get("fallback")?.key}${MADE.get("fallback")?.crt}`;
  const fallbackCertificate: Certificate = {
    id: sha256(pem),
    pem,
    hosts: SPECS.fallback?.names ?? [],
    notAfter: "",
  };
  return buildModel({
    store,
    settings: { ...SETTINGS, runDir, httpsPort: port, workers: 1 },
    fallbackCertificate,
    now: NOW,
  }).ir;
}

function writeConfig(runDir: string, ir: Ir): void {
  for (const { id, pem } of [...ir.hitch.certificates, ir.hitch.defaultCertificate]) {
    const path = join(runDir, "certs", `${id}.pem`);
    // A file with a new time counts as a new certificate.
    if (!existsSync(path)) writeFileSync(path, pem);
  }
  writeFileSync(join(runDir, "hitch.conf"), renderHitch(ir));
}

async function handshake(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

function fingerprintOf(ir: Ir, id: string): string {
  const found = [...ir.hitch.certificates, ir.hitch.defaultCertificate].find((one) => one.id === id);
  const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(found?.pem ?? "")?.[0] ?? "";
  return new X509Certificate(block).fingerprint256;
}

/** Until Hitch serves what the model says; how it differed when it never does. */
async function waitForServed(port: number, ir: Ir): Promise<void> {
  const wanted = (ir.hitch.served ?? []).map(({ host, certificate }) => [
    host,
    fingerprintOf(ir, certificate),
  ]);
  assert.equal(wanted.length, HOSTS.length);
  let seen: unknown;
  for (let attempt = 0; attempt < 60; attempt++) {
    seen = await Promise.all(
      wanted.map(async ([host = ""]) => [host, await handshake(port, host).catch(String)]),
    );
    if (JSON.stringify(seen) === JSON.stringify(wanted)) return;
    await sleep(50);
  }
  assert.deepEqual(seen, wanted);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("Hitch serves what the model says, whatever was loaded before", {
  skip: skipWithoutDataPlane(),
}, async () => {
  const runDir = mkdtempSync(join(tmpdir(), "evener-"));
  chmodSync(runDir, 0o755);
  mkdirSync(join(runDir, "certs"));
  const backend = createServer();
  await new Promise<void>((resolve) => backend.listen(join(runDir, "balance.sock"), resolve));
  const port = await freePort();
  const steps: Readonly<Record<number, string>>[] = [
    { 2020: "old", 2022: "young" },
    // One comes that is younger than all: it is loaded last and yet must not win.
    { 2020: "old", 2022: "young", 2024: "younger" },
    // The one in the middle is renewed, while the others stay.
    { 2020: "old", 2022: "renewed", 2024: "younger" },
    { 2020: "wild", 2022: "renewed", 2024: "younger" },
    { 2022: "renewed" },
    { 2020: "younger", 2022: "old" },
  ];
  writeConfig(runDir, build(runDir, port, steps[0] ?? {}));
  // Hitch does not run workers as root.
  const user = process.getuid?.() === 0 ? ["--user=nobody"] : [];
  const hitch = execa(HITCH, [`--config=${join(runDir, "hitch.conf")}`, ...user], {
    all: true,
    reject: false,
  });
  try {
    for (const [i, step] of steps.entries()) {
      const ir = build(runDir, port, step);
      writeConfig(runDir, ir);
      if (i > 0) hitch.kill("SIGHUP");
      await waitForServed(port, ir);
    }
  } finally {
    hitch.kill("SIGTERM");
    await hitch;
    backend.close();
    rmSync(runDir, { recursive: true });
  }
});
