// SPDX-License-Identifier: Apache-2.0
/**
 * The manifests of test/migration, as they were for ingress-nginx, served by Evener: the IngressClass nginx is ours now, and nothing else has
 * changed. What lint says is served is asked for; what it says is closed or left out is seen to be.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { V1Ingress } from "@kubernetes/client-node";
import { fingerprintLeaf } from "../src/apply/fingerprint.ts";
import { parseManifests } from "../src/store/parse-manifests.ts";
import { type KeyPair, makeKeyPair } from "../test/fixtures/certificates.ts";
import { lintManifest, listManifests, readManifest } from "../test/migration/cases.ts";
import { Authority } from "./kube/lib/certificates.ts";
import { ask, type Question, type Reply } from "./lib/ask.ts";
import { servedFingerprint } from "./lib/client.ts";
import { startEchoPod } from "./lib/echo-pods.ts";
import { Evener } from "./lib/evener.ts";
import { ingressClass, type Manifest, makeSecret } from "./lib/manifests.ts";
import { findFreePorts } from "./lib/ports.ts";

interface Expectation extends Question {
  readonly host: string;
  readonly status: number;
  /** `namespace/service` that answers. */
  readonly pod?: string;
  /** What the pod is asked for, where that is not `path`. */
  readonly seen?: string;
  readonly location?: string;
  readonly sees?: Readonly<Record<string, RegExp>>;
}

const served = (name: string, more: Partial<Expectation> = {}): Expectation => ({
  host: `${name}.example`,
  status: 200,
  pod: `${name}/web`,
  ...more,
});
const toHttps = (name: string): Expectation => ({
  host: `${name}.example`,
  status: 308,
  location: `https://${name}.example/`,
});
const secured = (name: string, more: Partial<Expectation> = {}): Expectation[] => [
  served(name, { scheme: "https", sees: { "x-forwarded-proto": /^https$/ }, ...more }),
  toHttps(name),
];
const nothing = (name: string, more: Partial<Expectation> = {}): Expectation => ({
  host: `${name}.example`,
  // Evener has a default backend here, of 35-catch-all.
  status: 200,
  pod: "catch-all/web",
  ...more,
});

/** By the manifest's number. */
const EXPECTED: Readonly<Record<string, readonly Expectation[]>> = {
  "01": [
    served("plain", {
      path: "/any/path?x=y",
      sees: { host: /^plain\.example/, "x-forwarded-proto": /^http$/ },
    }),
  ],
  "02": secured("tls"),
  "03": [served("no-ssl-redirect"), served("no-ssl-redirect", { scheme: "https" })],
  "04": [toHttps("force-ssl"), served("force-ssl", { scheme: "https" })],
  "05": [nothing("rewrite-captures", { path: "/api/x" })],
  "06": [
    served("rewrite-plain", { path: "/app/x", seen: "/x" }),
    nothing("rewrite-plain", { path: "/other" }),
  ],
  "07": [{ host: "basic-auth.example", scheme: "https", status: 403 }],
  "08": [{ host: "external-auth.example", scheme: "https", status: 403 }],
  "09": [{ host: "allowlist.example", status: 403 }],
  "10": [served("allowlist-here")],
  "11": [served("uploads", { bytes: 2048 }), { host: "uploads.example", bytes: 2049, status: 413 }],
  "12": [served("timeouts")],
  "13": [served("websocket")],
  "14": [
    served("cors", {
      headers: { Origin: "https://app.example" },
      sees: { origin: /^https:\/\/app\.example$/ },
    }),
  ],
  "15": [served("rate-limit")],
  "16": [{ host: "moved.example", path: "/old", status: 308, location: "https://new.example/landing" }],
  "17": [{ host: "maintenance.example", status: 302, location: "https://status.example/" }],
  "18": [
    { host: "app-root.example", status: 302, location: "http://app-root.example/dashboard/" },
    served("app-root", { path: "/dashboard/" }),
  ],
  "19": secured("www"),
  "20": [served("canary")],
  "21": [served("sticky")],
  "22": [served("hash-address")],
  "23": [served("ewma")],
  "24": [nothing("grpc", { scheme: "https" })],
  "25": [nothing("https-pods", { scheme: "https" })],
  "26": [served("snippet")],
  "27": [{ host: "client-certificates.example", scheme: "https", status: 0 }, toHttps("client-certificates")],
  "28": [served("error-pages")],
  "29": [
    { host: "many-paths.example", scheme: "https", status: 200, pod: "many-paths/front" },
    { host: "many-paths.example", scheme: "https", path: "/api/v1", status: 200, pod: "many-paths/api" },
    { host: "many-paths.example", scheme: "https", path: "/apix", status: 200, pod: "many-paths/front" },
    {
      host: "many-paths.example",
      scheme: "https",
      path: "/api/v1/health",
      status: 200,
      pod: "many-paths/health",
    },
    {
      host: "many-paths.example",
      scheme: "https",
      path: "/static/x.js",
      status: 200,
      pod: "many-paths/static",
    },
    { host: "a.many-paths.example", scheme: "https", status: 200, pod: "many-paths/tenants" },
  ],
  "30": [
    ...secured("cert-manager"),
    {
      host: "cert-manager.example",
      path: "/.well-known/acme-challenge/tok3n",
      status: 200,
      pod: "cert-manager/cm-acme-http-solver-9qj4z",
    },
  ],
  "31": [{ host: "passthrough.example", scheme: "https", status: 200, pod: "passthrough/argocd-server" }],
  "32": secured("legacy-class"),
  "33": [
    served("shared-host"),
    { host: "shared-host.example", path: "/api/x", status: 200, pod: "shared-host/api" },
  ],
  "34": [served("waf", { headers: { traceparent: "00-1-2-01" }, sees: { traceparent: /^00-1-2-01$/ } })],
  "35": [{ host: "unheard-of.example", status: 200, pod: "catch-all/web" }],
  "36": [served("vhost", { sees: { host: /^vhost\.example/ } })],
};

/** Closed, or left out. */
const NOT_SERVED = ["05", "07", "08", "24", "25"];
const PASSED = "passthrough";

test("manifests for ingress-nginx, served by Evener", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "evener-migration-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const authority = await Authority.create(dir);
  const ingresses = listManifests().flatMap((name) =>
    parseManifests(readManifest(name), name).objects.map(({ object }) => object as V1Ingress),
  );
  const passed = await makeKeyPair(["passthrough.example"]);
  const ours = { ...ingressClass, metadata: { name: "nginx" } };
  const manifests = {
    class: [ours],
    services: await startServices(t, ingresses, passed),
    secrets: await makeSecrets(ingresses, await readFile(authority.caFile, "utf8")),
  };
  const start = async (isWanted: (namespace?: string) => boolean, args: readonly string[]) => {
    const wanted = ingresses.filter(({ metadata }) => isWanted(metadata?.namespace));
    const evener = await Evener.start(
      t,
      {
        ...manifests,
        ingresses: wanted.map((ingress) => ({
          apiVersion: "networking.k8s.io/v1",
          kind: "Ingress",
          ...ingress,
        })),
      },
      { args: ["--ingress-class", "nginx", "--workers", "1", ...args] },
    );
    return { http: evener.httpPort, https: evener.httpsPort };
  };
  const ports = await start((namespace) => namespace !== PASSED, []);
  // While TLS is passed through there are no client certificates, so this is another instance.
  const [internal = 0] = await findFreePorts(1);
  const passing = await start(
    (namespace) => namespace === PASSED,
    ["--enable-ssl-passthrough", "--internal-tls-port", String(internal)],
  );

  for (const name of listManifests()) {
    await t.test(name, async () => {
      const expected = EXPECTED[name.slice(0, 2)] ?? [];
      assert.ok(expected.length > 0, "nothing is expected of it");
      const at = name.startsWith("31") ? passing : ports;
      for (const one of expected) check(await ask(one.host, at, one), one);
      // What lint has said is what there is.
      const { ingresses: linted } = await lintManifest(name);
      const isServed = linted.some(({ verdict }) => verdict === "served" || verdict === "partly");
      assert.equal(isServed, !NOT_SERVED.includes(name.slice(0, 2)), "lint says something else");
    });
  }

  await t.test(
    "27: who has a certificate of the authority is let in, and the pod gets to see it",
    async () => {
      const client = await authority.sign("partner", "/CN=partner", "extendedKeyUsage=clientAuth");
      const question = { scheme: "https", client } as const;
      const { status, echo } = await ask("client-certificates.example", ports, question);
      assert.deepEqual([status, echo?.pod], [200, "client-certificates/web"]);
      assert.equal(echo?.headers["ssl-client-verify"], "SUCCESS");
      assert.match(echo?.headers["ssl-client-subject-dn"] ?? "", /CN=partner/);
      assert.match(echo?.headers["ssl-client-cert"] ?? "", /BEGIN/);
    },
  );

  await t.test("31: the handshake is the pod's own", async () => {
    assert.equal(await servedFingerprint("passthrough.example", passing.https), fingerprintLeaf(passed.cert));
  });

  await t.test("13: a connection that changes its protocol", async () => {
    assert.equal(await talk(ports.http, "websocket.example", "ping"), "ping");
  });
});

function check(
  reply: Reply,
  { host, path = "/", status, pod, seen, location, sees = {} }: Expectation,
): void {
  const where = `${host}${path}`;
  assert.deepEqual([reply.status, reply.echo?.pod], [status, pod], where);
  // curl makes an absolute URL of a path, with the port of the test.
  if (location !== undefined) assert.equal(reply.location.replace(/:\d+/, ""), location, where);
  if (pod !== undefined) assert.equal(reply.echo?.path, seen ?? path, where);
  for (const [name, pattern] of Object.entries(sees))
    assert.match(reply.echo?.headers[name] ?? "", pattern, where);
}

/** Each Service that is named, with a pod of its own. */
async function startServices(
  t: TestContext,
  ingresses: readonly V1Ingress[],
  passed: KeyPair,
): Promise<Manifest[]> {
  const ports = new Map<string, Map<string, { name?: string; port: number }>>();
  for (const { metadata, spec } of ingresses) {
    const backends = (spec?.rules ?? []).flatMap((rule) =>
      (rule.http?.paths ?? []).map(({ backend }) => backend),
    );
    if (spec?.defaultBackend !== undefined) backends.push(spec.defaultBackend);
    for (const { service } of backends) {
      const key = `${metadata?.namespace}/${service?.name}`;
      const { name, number = 80 } = service?.port ?? {};
      const known = ports.get(key) ?? new Map();
      ports.set(
        key,
        known.set(String(name ?? number), { port: number, ...(name === undefined ? {} : { name }) }),
      );
    }
  }
  const manifests: Manifest[] = [];
  for (const [key, named] of ports) {
    const [namespace = "", name = ""] = key.split("/");
    const podPort = await startEchoPod(t, key, namespace === "passthrough" ? passed : undefined);
    const list = [...named.values()].map((one, i) => ({ name: one.name ?? `p${i}`, port: one.port }));
    manifests.push(
      { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports: list } },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        ports: list.map((one) => ({ name: one.name, port: podPort })),
        endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
      },
    );
  }
  return manifests;
}

async function makeSecrets(ingresses: readonly V1Ingress[], ca: string): Promise<Manifest[]> {
  const secrets: Manifest[] = [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "partners-ca", namespace: "client-certificates" },
      data: { "ca.crt": Buffer.from(ca).toString("base64") },
    },
  ];
  for (const { metadata, spec } of ingresses) {
    for (const { secretName = "", hosts = [] } of spec?.tls ?? []) {
      secrets.push(makeSecret(secretName, await makeKeyPair(hosts), metadata?.namespace));
    }
  }
  return secrets;
}

/** What comes back of `text` after the protocol was changed. */
async function talk(port: number, host: string, text: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  const head = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`;
  socket.write(head);
  let received = "";
  let sent = false;
  try {
    for await (const chunk of socket) {
      received += String(chunk);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) continue;
      assert.match(received, /^HTTP\/1\.1 101 /);
      if (!sent) socket.write(text);
      sent = true;
      const body = received.slice(end + 4);
      if (body.length >= text.length) return body;
    }
    return received;
  } finally {
    socket.destroy();
  }
}
