// SPDX-License-Identifier: Apache-2.0
/** What handshakes come to: resumed sessions, certificates by exact name and by wildcard, and the settings of the class. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { TLS_CIPHERS, TLS_CIPHERSUITES, TLS_CURVES } from "../src/model/tls-settings.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { Authority } from "./lib/authority.ts";
import { startBackend } from "./lib/backend.ts";
import { curl, servedFingerprint } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { type Manifest, makeIngress, makeSecret, makeSite } from "./lib/manifests.ts";

const run = promisify(execFile);

/** Output of openssl's client for one request, whatever its status. */
async function handshake(port: number, name: string | undefined, args: readonly string[]): Promise<string> {
  const sni = name === undefined ? ["-noservername"] : ["-servername", name];
  const child = run("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${port}`, ...sni, "-ign_eof", ...args],
  ]);
  child.child.stdin?.end(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
  return child.then(
    ({ stdout }) => stdout,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
  );
}

/** How many of so many handshakes with a saved session went without a certificate. */
async function countResumed(port: number, name: string, file: string, version: string, times: number) {
  let resumed = 0;
  for (let i = 0; i < times; i++) {
    const said = await handshake(port, name, [version, "-sess_in", file]);
    assert.match(said, /HTTP\/1\.1 200/);
    if (/^Reused, /m.test(said)) resumed++;
  }
  return resumed;
}

test("sessions are resumed by every worker, also after a reload", async (t) => {
  const web = await startBackend(t, "web");
  const evener = await Evener.start(
    t,
    { a: [...makeSite("a", [web.port]), makeSecret("a-tls", await makeKeyPair(["a.example"]))] },
    { args: ["--workers", "4"] },
  );
  const port = evener.httpsPort;
  const files = new Map<string, string>();
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const file = join(evener.runDir, `session${version}`);
    files.set(version, file);
    assert.match(await handshake(port, "a.example", [version, "-sess_out", file]), /HTTP\/1\.1 200/);
    assert.equal(await countResumed(port, "a.example", file, version, 12), 12, version);
  }
  await evener.put("b", [
    ...makeSite("b", [web.port]),
    makeSecret("b-tls", await makeKeyPair(["b.example"])),
  ]);
  await eventually("the reload", async () => evener.countReloads("hitch") === 2);
  for (const [version, file] of files) {
    assert.equal(await countResumed(port, "a.example", file, version, 12), 12, `${version} after a reload`);
  }
});

test("the exact name wins over the wildcard, whatever comes first", async (t) => {
  const web = await startBackend(t, "web");
  const [wild, exact, rsa] = [
    await makeKeyPair(["*.w.example"]),
    await makeKeyPair(["a.w.example"]),
    await (await Authority.create(t, "ca")).issue("a.w.example", {
      rsa: true,
      extensions: ["subjectAltName=DNS:a.w.example"],
    }),
  ];
  const [service, ...endpoints] = makeSite("web", [web.port]);
  const ingress = (name: string, host: string, created: string) =>
    makeIngress(name, host, { service: "web", created });
  const evener = await Evener.start(t, {
    web: [service ?? {}, ...endpoints.slice(0, -1)],
    sites: [
      ingress("wild", "*.w.example", "2025-01-01T00:00:00Z"),
      ingress("exact", "a.w.example", "2025-02-01T00:00:00Z"),
      ingress("rsa", "a.w.example", "2025-03-01T00:00:00Z"),
    ],
    secrets: [makeSecret("wild-tls", wild), makeSecret("exact-tls", exact), makeSecret("rsa-tls", rsa)],
  });
  const port = evener.httpsPort;
  const expectServed = async () => {
    assert.equal(await servedFingerprint("a.w.example", port), fingerprintLeaf(exact.cert));
    assert.equal(await servedFingerprint("b.w.example", port), fingerprintLeaf(wild.cert));
    assert.notEqual(await servedFingerprint("x.y.w.example", port), fingerprintLeaf(wild.cert));
    assert.notEqual(await servedFingerprint("w.example", port), fingerprintLeaf(wild.cert));
  };
  await expectServed();
  // Hitch has one certificate per name: a second one with another type of key is not served, and says so.
  const refused = await handshake(port, "a.w.example", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]);
  assert.match(refused, /handshake failure/);
  await evener.waitLog("the warning", (record) => record.reason === "CertificateShadowed");
  // The wildcard changes: it is loaded after the exact one now.
  const renewed = await makeKeyPair(["*.w.example"]);
  await evener.put("secrets", [
    makeSecret("wild-tls", renewed),
    makeSecret("exact-tls", exact),
    makeSecret("rsa-tls", rsa),
  ]);
  await eventually("the new wildcard", async () => {
    return (await servedFingerprint("b.w.example", port)) === fingerprintLeaf(renewed.cert);
  });
  assert.equal(await servedFingerprint("a.w.example", port), fingerprintLeaf(exact.cert));
  assert.equal(await curl("a.w.example", port), "web");
});

test("versions, ciphers, curves and strict server names are as the class says", async (t) => {
  const web = await startBackend(t, "web");
  const evener = await Evener.start(
    t,
    { a: [...makeSite("a", [web.port]), makeSecret("a-tls", await makeKeyPair(["a.example"]))] },
    {
      args: [
        ...["--tls-ciphers", TLS_CIPHERS.toReversed().join(","), "--prefer-server-ciphers", "--strict-sni"],
        ...[
          "--tls-ciphersuites",
          TLS_CIPHERSUITES.toReversed().join(","),
          "--tls-curves",
          TLS_CURVES.toReversed().join(","),
        ],
      ],
    },
  );
  const port = evener.httpsPort;
  const lines = evener.log.map(({ msg, line }) => `${msg} ${line}`).join("\n");
  // Hitch goes on without curves that OpenSSL does not know, and only says so.
  assert.doesNotMatch(lines, /curves/);
  for (const cipher of TLS_CIPHERS.filter((name) => name.includes("ECDSA"))) {
    const said = await handshake(port, "a.example", ["-tls1_2", "-cipher", `${cipher}:@SECLEVEL=0`]);
    assert.match(said, new RegExp(`Cipher is ${cipher}\\b`));
  }
  for (const suite of TLS_CIPHERSUITES) {
    const said = await handshake(port, "a.example", ["-tls1_3", "-ciphersuites", suite]);
    assert.match(said, new RegExp(`Cipher is ${suite}\\b`));
  }
  assert.match(await handshake(port, "a.example", ["-tls1_2"]), /Cipher is ECDHE-ECDSA-AES256-SHA\b/);
  for (const curve of ["X25519", "P-256", "P-384", "P-521", "X448"]) {
    assert.match(await handshake(port, "a.example", ["-groups", curve]), /HTTP\/1\.1 200/, curve);
  }
  assert.match(await handshake(port, "unknown.example", []), /unrecognized name/);
  assert.match(await handshake(port, undefined, []), /Cipher is TLS_/);
});

/** An IngressClass with a profile. */
function makeClass(profile: string, spec: Record<string, unknown>): Manifest[] {
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "evener" },
      spec: {
        controller: "evener.io/ingress-controller",
        parameters: { apiGroup: "evener.io", kind: "TLSProfile", name: profile },
      },
    },
    { apiVersion: "evener.io/v1alpha1", kind: "TLSProfile", metadata: { name: profile }, spec },
  ];
}

test("TLS 1.3 alone, changed by a profile while it runs", async (t) => {
  const web = await startBackend(t, "web");
  const evener = await Evener.start(t, {
    a: [...makeSite("a", [web.port]), makeSecret("a-tls", await makeKeyPair(["a.example"]))],
  });
  assert.match(await handshake(evener.httpsPort, "a.example", ["-tls1_2"]), /HTTP\/1\.1 200/);
  await evener.put("class", makeClass("modern", { protocols: ["TLSv1.3"] }));
  await eventually("TLS 1.2 to be refused", async () => {
    return /protocol version/.test(await handshake(evener.httpsPort, "a.example", ["-tls1_2"]));
  });
  assert.match(await handshake(evener.httpsPort, "a.example", ["-tls1_3"]), /HTTP\/1\.1 200/);
});

test("a number of workers that comes while it runs holds nothing up", async (t) => {
  const web = await startBackend(t, "web");
  const evener = await Evener.start(t, {
    a: [...makeSite("a", [web.port]), makeSecret("a-tls", await makeKeyPair(["a.example"]))],
  });
  await evener.put("class", makeClass("more", { workers: 3 }));
  await eventually("Hitch to have as many", async () =>
    /^workers = 3$/m.test(await evener.readRunFile("hitch.conf")),
  );
  await evener.put("b", [
    ...makeSite("b", [web.port]),
    makeSecret("b-tls", await makeKeyPair(["b.example"])),
  ]);
  await eventually("what comes later to be served", async () =>
    /HTTP\/1\.1 200/.test(await handshake(evener.httpsPort, "b.example", [])),
  );
});
