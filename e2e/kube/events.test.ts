// SPDX-License-Identifier: Apache-2.0
/** What Evener says, wherever it says it, has no key and no token in it. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { ingressClass, type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { makePods, RULES, startPod, startReplica } from "../lib/replica.ts";
import { listEvents, readAddress } from "../lib/reports.ts";
import { Cluster } from "./lib/cluster.ts";

const MARK = "RECOGNISABLEKEY";

/** Ways for a Secret to be bad, each with something in it that must not be quoted. */
function makeBadSecrets(goodCert: string): Manifest[] {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const pem = (kind: string) => `-----BEGIN ${kind}-----\n${MARK}\n-----END ${kind}-----\n`;
  const make = (name: string, crt: string, key: string): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "default" },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encode(crt), "tls.key": encode(key) },
  });
  return [
    make("bad-text", MARK, MARK),
    make("bad-pem", pem("CERTIFICATE"), pem("PRIVATE KEY")),
    make("bad-key", goodCert, pem("PRIVATE KEY")),
    make("bad-lock", goodCert, pem("ENCRYPTED PRIVATE KEY")),
  ];
}

test("keys and tokens are in no log, page, Event or status", async (t) => {
  const cluster = await Cluster.start(t);
  const [good, mismatch] = [await makeKeyPair(["a.example"]), await makeKeyPair(["b.example"])];
  const backend = await startPod(t, "a");
  const bad = makeBadSecrets(good.cert);
  await cluster.admin.apply(
    ingressClass,
    ...makePods("a", [backend.port]),
    makeSecret("a-tls", good),
    makeIngress("a", "a.example"),
    makeSecret("mismatch", { cert: good.cert, key: mismatch.key }),
    makeIngress("mismatch", "m.example", { service: "a", secret: "mismatch" }),
    ...bad,
    ...["bad-text", "bad-pem", "bad-key", "bad-lock"].map((name) =>
      makeIngress(name, `${name}.example`, { service: "a", secret: name }),
    ),
  );
  const token = await cluster.createToken("evener");
  const tokenFile = join(cluster.dir, "evener.token");
  await writeFile(tokenFile, token);
  const kubeconfig = await cluster.writeTokenKubeconfig(tokenFile);
  // All rights but those for Events, so that refusals are logged as well.
  const rules = RULES.filter((rule) => !JSON.stringify(rule).includes("events.k8s.io"));
  const account = { kind: "ServiceAccount", name: "evener", namespace: "default" };
  const bind = (name: string, list: readonly Manifest[]) => bindRole(cluster, name, list, account);
  await bind("evener-some", rules);

  const args = ["--publish-status-address", "192.0.2.1", "--log-level", "debug"];
  const evener = await startReplica(t, { name: "evener", kubeconfig }, args);
  await eventually("the status", async () => (await readAddress(cluster, "a")) === "192.0.2.1");
  await evener.waitLog("the refusal", ({ msg }) => msg === "the Event can't be written");
  await bind("evener-all", RULES);
  const isTold = async () => (await listEvents(cluster, "Secret", "bad-lock")).length > 0;
  // Refused writes are tried again after a minute.
  await eventually("the Events", isTold, 120_000);

  const pages = ["/debug/config", "/debug/model", "/metrics", "/readyz", "/healthz"];
  const said = new Map<string, string>();
  for (const page of pages) said.set(page, (await evener.get(page)).text);
  await cluster.stopApiServer();
  await evener.waitLog("the outage", ({ msg }) => msg === "the Lease can't be written");
  await cluster.startApiServer();
  for (const path of [
    "/apis/events.k8s.io/v1/events",
    "/apis/networking.k8s.io/v1/ingresses",
    "/apis/coordination.k8s.io/v1/leases",
  ]) {
    said.set(path, JSON.stringify((await cluster.admin.call("GET", path)).json));
  }
  assert.equal(await evener.stop(), 0);
  said.set("log", JSON.stringify(evener.log));

  const secrets = [token, token.slice(-40), MARK, Buffer.from(MARK).toString("base64").slice(0, 16)];
  for (const { key } of [good, mismatch]) secrets.push(...key.split("\n").slice(1, -2));
  for (const [place, text] of said) {
    for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is in ${place}`);
    assert.ok(!text.includes("PRIVATE KEY-----"), `a key is in ${place}`);
    assert.ok(!/Bearer /.test(text), `a token is in ${place}`);
  }
  // Something was said, or the test would show nothing.
  assert.match(said.get("/apis/events.k8s.io/v1/events") ?? "", /bad-key/);
});

async function bindRole(cluster: Cluster, name: string, rules: readonly Manifest[], subject: Manifest) {
  const group = "rbac.authorization.k8s.io";
  const roleRef = { apiGroup: group, kind: "ClusterRole", name };
  await cluster.admin.apply(
    { apiVersion: `${group}/v1`, kind: "ClusterRole", metadata: { name }, rules },
    {
      apiVersion: `${group}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      subjects: [subject],
      roleRef,
    },
  );
}
