// SPDX-License-Identifier: Apache-2.0
/** Client certificates: a real CA, lists of revoked ones, another CA, and everything that would get around them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { Authority, type Issued } from "./lib/authority.ts";
import { Evener } from "./lib/evener.ts";
import { type Manifest, makeEndpoints, makeIngress, makeSecret, makeService } from "./lib/manifests.ts";

const run = promisify(execFile);

interface Answer {
  /** 0: the handshake failed, or the connection was closed. */
  readonly status: number;
  readonly body: string;
}

/** One request of curl's; `certificate` is what the client shows. */
async function ask(
  port: number,
  url: string,
  certificate?: Issued,
  extra: readonly string[] = [],
): Promise<Answer> {
  const { host } = new URL(url);
  const shown =
    certificate === undefined ? [] : ["--cert", certificate.certFile, "--key", certificate.keyFile];
  const { stdout } = await run("curl", [
    ...["-ks", "--max-time", "10", "-w", "\n%{http_code}", "--connect-to", `${host}:443:127.0.0.1:${port}`],
    ...["--connect-to", `${host}:80:127.0.0.1:${port}`, ...shown, ...extra, url],
  ]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "\n0" }));
  const at = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

/** A pod that answers with the fields it was sent. */
async function startEcho(t: TestContext): Promise<number> {
  const server = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function makeCaSecret(name: string, crt: string, crl?: string): Manifest {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "default" },
    type: "Opaque",
    data: { "ca.crt": encode(crt), ...(crl === undefined ? {} : { "ca.crl": encode(crl) }) },
  };
}

function demand(name: string, secret: string, mode = "on", more: Record<string, string> = {}): Manifest {
  const ingress = makeIngress(name, `${name}.example`, { service: "echo" });
  Object.assign(ingress.metadata as object, {
    annotations: {
      "nginx.ingress.kubernetes.io/auth-tls-secret": `default/${secret}`,
      "evener.io/auth-tls-verify-client": mode,
      ...more,
    },
  });
  return ingress;
}

test("client certificates: verified per host, by CA and revocation list", async (t) => {
  const port = await startEcho(t);
  const [root, other] = [await Authority.create(t, "root"), await Authority.create(t, "other")];
  const sub = await root.createSub("sub");
  const good = await root.issue("good");
  const revoked = await root.issue("revoked");
  const stranger = await other.issue("stranger");
  const [ofSub, revokedOfSub] = [await sub.issue("of-sub"), await sub.issue("revoked-of-sub")];
  const chained = async (issued: Issued): Promise<Issued> => {
    await writeFile(issued.certFile, `${issued.cert}${sub.own.cert}`);
    return issued;
  };
  await root.revoke(revoked);
  await sub.revoke(revokedOfSub);
  const cas = `${root.own.cert}${sub.own.cert}`;
  const pairs = new Map<string, Awaited<ReturnType<typeof makeKeyPair>>>();
  for (const name of ["must", "may", "free", "their"])
    pairs.set(name, await makeKeyPair([`${name}.example`]));
  const secrets = [...pairs].map(([name, pair]) => makeSecret(`${name}-tls`, pair));
  const evener = await Evener.start(t, {
    echo: [makeService("echo"), ...makeEndpoints("echo", [port])],
    sites: [
      demand("must", "ca", "on", { "evener.io/auth-tls-pass-certificate-to-upstream": "true" }),
      demand("may", "ca", "optional"),
      demand("their", "other-ca"),
      makeIngress("free", "free.example", { service: "echo" }),
    ],
    secrets,
    ca: [
      makeCaSecret("ca", cas, `${await root.list()}${await sub.list()}`),
      makeCaSecret("other-ca", other.own.cert),
    ],
  });
  const https = evener.httpsPort;
  const headers = (answer: Answer) => JSON.parse(answer.body) as IncomingHttpHeaders;

  await t.test("a good certificate is let in, and the pod learns who it is", async () => {
    const answer = await ask(https, "https://must.example/", good, ["-H", "ssl-client-verify: forged"]);
    assert.equal(answer.status, 200);
    assert.equal(headers(answer)["ssl-client-verify"], "SUCCESS");
    assert.equal(headers(answer)["ssl-client-subject-dn"], "CN=good,O=test");
    const pem = decodeURIComponent(String(headers(answer)["ssl-client-cert"]));
    assert.equal(pem.trim(), good.cert.trim());
    const viaSub = await ask(https, "https://must.example/", await chained(ofSub));
    assert.equal(headers(viaSub)["ssl-client-subject-dn"], "CN=of-sub,O=test");
  });

  await t.test("without one, with a revoked one or another CA's nobody gets in", async () => {
    assert.deepEqual(await ask(https, "https://must.example/"), { status: 0, body: "" });
    assert.deepEqual(await ask(https, "https://must.example/", revoked), { status: 0, body: "" });
    assert.deepEqual(await ask(https, "https://must.example/", await chained(revokedOfSub)), {
      status: 0,
      body: "",
    });
    assert.deepEqual(await ask(https, "https://must.example/", stranger), { status: 0, body: "" });
    assert.equal((await ask(https, "https://their.example/", stranger)).status, 200);
    assert.equal((await ask(https, "https://their.example/", good)).status, 0);
  });

  await t.test("optional: who shows none is told apart, who shows a wrong one is refused", async () => {
    const without = await ask(https, "https://may.example/");
    assert.equal(headers(without)["ssl-client-verify"], "NONE");
    assert.equal(headers(without)["ssl-client-subject-dn"], undefined);
    const shown = await ask(https, "https://may.example/", good);
    assert.equal(headers(shown)["ssl-client-verify"], "SUCCESS");
    assert.equal(headers(shown)["ssl-client-cert"], undefined);
    assert.equal((await ask(https, "https://may.example/", stranger)).status, 0);
  });

  await t.test("another host's handshake is of no use", async () => {
    const behind = ["-H", "Host: must.example"];
    assert.equal((await ask(https, "https://free.example/", good, behind)).status, 421);
    assert.equal((await ask(https, "https://may.example/", good, behind)).status, 421);
    assert.equal((await ask(https, "https://their.example/", stranger, behind)).status, 421);
    assert.equal((await ask(https, "https://must.example/", good, ["-H", "Host: may.example"])).status, 421);
    // No server name at all: the default certificate asks for none.
    assert.equal((await ask(https, "https://127.0.0.1/", good, behind)).status, 421);
    const plain = await ask(evener.httpPort, "http://must.example/");
    assert.equal(plain.status, 308);
    const free = await ask(https, "https://free.example/", good);
    assert.equal(headers(free)["ssl-client-verify"], undefined);
  });

  for (const version of ["-tls1_2", "-tls1_3"]) {
    await t.test(`${version.slice(1)}: no session gets around the verification`, async () => {
      const own = await session(https, "must.example", "must.example", version, evener.runDir, good);
      assert.equal(own.first, "200");
      assert.equal(own.resumed, false);
      // A session made where nobody is asked, used where certificates are asked for.
      const foreign = await session(https, "free.example", "must.example", version, evener.runDir);
      assert.equal(foreign.first, "200");
      assert.notEqual(foreign.second, "200");
      const toOther = await session(https, "must.example", "their.example", version, evener.runDir, good);
      assert.equal(toOther.first, "200");
      assert.notEqual(toOther.second, "200");
    });
  }

  await t.test("a new list takes effect, and leaving the CA out closes the host", async () => {
    await root.revoke(good);
    await evener.put("ca", [
      makeCaSecret("ca", cas, `${await root.list()}${await sub.list()}`),
      makeCaSecret("other-ca", other.own.cert),
    ]);
    await eventually("the certificate to be refused", async () => {
      return (await ask(https, "https://must.example/", good)).status === 0;
    });
    assert.equal((await ask(https, "https://must.example/", ofSub)).status, 200);
    await evener.put("ca", [makeCaSecret("other-ca", other.own.cert)]);
    await eventually("the host to be closed", async () => {
      return (await ask(https, "https://must.example/", ofSub)).status === 403;
    });
    assert.equal((await ask(https, "https://their.example/", stranger)).status, 200);
  });
});

/** Two handshakes by openssl s_client, the second one with the first one's session if there was one. */
async function session(
  port: number,
  firstName: string,
  secondName: string,
  version: string,
  dir: string,
  shown?: Issued,
): Promise<{ first: string; second: string; resumed: boolean }> {
  const file = join(dir, `session-${firstName}-${version}`);
  const cert = shown === undefined ? "" : `-cert ${shown.certFile} -key ${shown.keyFile}`;
  const talk = async (name: string, more: string, certificate: string) => {
    const request = `GET / HTTP/1.1\\r\\nHost: ${name}\\r\\nConnection: close\\r\\n\\r\\n`;
    const script = `printf '${request}' | timeout 5 openssl s_client -connect 127.0.0.1:${port} -servername ${name} ${version} ${certificate} ${more} -ign_eof 2>&1 || true`;
    const { stdout } = await run("sh", ["-c", script]);
    const status = /HTTP\/1\.1 (\d{3})/.exec(stdout)?.[1] ?? "none";
    return { status, resumed: /^Reused, /m.test(stdout) };
  };
  const first = await talk(firstName, `-sess_out ${file}`, cert);
  const second = await talk(secondName, `-sess_in ${file}`, secondName === firstName ? cert : "");
  return { first: first.status, second: second.status, resumed: second.resumed };
}
