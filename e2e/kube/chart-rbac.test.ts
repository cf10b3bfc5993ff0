// SPDX-License-Identifier: Apache-2.0
/**
 * Evener as the chart installs it: with the chart's arguments, a service account's token and exactly the chart's permissions. No
 * call is denied; and without any one of the rules one is, so none is there for nothing.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { renderChart, type Values } from "../../charts/tools/helm.ts";
import {
  listRules,
  type Rbac,
  type RuleRef,
  renderRbac,
  withoutRule,
} from "../../charts/tools/render-rbac.ts";
import { type KeyPair, makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import type { Backend } from "../lib/backend.ts";
import { curl } from "../lib/client.ts";
import { Evener } from "../lib/evener.ts";
import { type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { findPodAddress, startPod } from "../lib/replica.ts";
import { listEvents, readAddress } from "../lib/reports.ts";
import { listDenied } from "./lib/audit.ts";
import { Cluster } from "./lib/cluster.ts";
import { installDefinitions } from "./lib/definitions.ts";

const HOST = "web.example";
const NAMESPACE = "ingress";
const ADDRESS = "192.0.2.7";
const PROFILE_REF = { apiGroup: "evener.io", kind: "TLSProfile", name: "strict" };

interface Case {
  readonly name: string;
  readonly values: Values;
  /** Rules that are looked at one by one; the others are so in another case. */
  readonly isOwn: (ref: RuleRef) => boolean;
  /** An object that has a problem which no Event may tell. */
  readonly problem?: string;
}

const CASES: readonly Case[] = [
  { name: "the whole cluster", values: {}, isOwn: () => true },
  {
    name: "some namespaces, and what is elsewhere by name",
    values: {
      scope: { enabled: true, namespace: "shop", additionalNamespaces: ["blog"] },
      defaultTLS: { existingSecret: "certificates/default-tls" },
    },
    isOwn: ({ role }) => role.kind === "Role" && role.metadata.namespace !== "blog" && !isLeader(role),
  },
  {
    name: "some namespaces, and a problem with an object elsewhere",
    values: {
      scope: { enabled: true, namespace: "shop" },
      defaultTLS: { existingSecret: "certificates/mismatch" },
    },
    isOwn: () => false,
    problem: "Secret certificates/mismatch",
  },
  {
    name: "Secrets by name",
    values: { secrets: { access: "named", names: { shop: ["web-tls"] } } },
    isOwn: ({ role }) => role.metadata.namespace === "shop",
  },
];

/** Whether a call, as `verb URI`, is about a resource or a subresource of it. */
function isAbout(call: string, resource: string): boolean {
  const [plural = "", sub] = resource.split("/");
  return call.includes(`/${plural}`) && (sub === undefined || call.includes(`/${sub}`));
}

const isLeader = (role: RuleRef["role"]) => role.metadata.name.endsWith("-leader");

let cluster: Cluster;
let pair: KeyPair;
let ca: string;
let clientCa: string;
let releases = 0;

before(async () => {
  cluster = await Cluster.start();
  await cluster.addNamespaces(NAMESPACE, "shop", "blog", "certificates");
  await installDefinitions(cluster);
  clientCa = await readFile(cluster.caFile, "utf8");
  pair = await makeKeyPair([HOST]);
  ca = join(cluster.dir, "ca-of-host.pem");
  await writeFile(ca, pair.cert);
  const { key } = await makeKeyPair([HOST]);
  await cluster.admin.apply(
    makeSecret("default-tls", pair, "certificates"),
    makeSecret("mismatch", { cert: pair.cert, key }, "certificates"),
  );
});
after(() => cluster?.stop());

for (const { name, values, isOwn, problem } of CASES) {
  describe(name, () => {
    test("no call is denied", async (t) => {
      const pod = await startPod(t, "web");
      const { evener, user } = await install(t, values);
      await cluster.admin.apply(...makeWeb(pod));
      t.after(() => cluster.admin.delete(...makeWeb(pod)));
      await eventually(
        "it is served",
        async () => (await curl(HOST, evener.httpsPort, ca)) === "web",
        30_000,
      );
      await eventually("the status", async () => (await readAddress(cluster, "web", "shop")) === ADDRESS);
      await eventually("an Event", async () => (await listEvents(cluster, "Ingress", "web")).length > 0);
      // Problems are handed over before what is served is told of.
      if (problem !== undefined) assert.match((await evener.get("/debug/config")).text, new RegExp(problem));
      await evener.stop();
      const events = await cluster.audit(user);
      assert.ok(events.length > 10, "the audit log knows the account");
      assert.deepEqual(listDenied(events), []);
    });

    test("each rule is needed", async (t) => {
      const rules = listRules(await renderRbac(values, { namespace: NAMESPACE })).map((ref, index) => ({
        ref,
        index,
      }));
      for (const { ref, index } of rules.filter(({ ref }) => isOwn(ref))) {
        const { apiGroups, resources, verbs } = ref.rule;
        await t.test(`${verbs.join(" ")} ${resources.join(" ")} ${apiGroups.join(" ")}`.trim(), async (t) => {
          const pod = await startPod(t, "web");
          await cluster.admin.apply(...makeWeb(pod));
          t.after(() => cluster.admin.delete(...makeWeb(pod)));
          const { user } = await install(t, values, (rbac) => {
            const left = listRules(rbac)[index];
            assert.ok(left !== undefined);
            return withoutRule(rbac, left);
          });
          const denied = (call: string) => resources.some((resource) => isAbout(call, resource));
          await eventually(
            "a denied call",
            async () => listDenied(await cluster.audit(user)).some(denied),
            30_000,
          );
        });
      }
    });
  });
}

/** A release of its own each time, so that nothing of the one before is left: no role, no Lease, no line in the audit log. */
async function install(t: TestContext, values: Values, change?: (rbac: Rbac) => Rbac) {
  const release = `evener-${++releases}`;
  const options = { release, namespace: NAMESPACE };
  const rbac = await renderRbac(values, options);
  const { serviceAccounts, roles, bindings } = change?.(rbac) ?? rbac;
  const objects = await renderChart(
    { ...values, ingressClassResource: { parameters: PROFILE_REF } },
    options,
  );
  const workload = objects.find(({ kind }) => kind === "Deployment") as unknown as Workload;
  const service: Manifest = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: release, namespace: NAMESPACE },
    spec: { externalIPs: [ADDRESS], ports: [{ port: 443 }] },
  };
  const created = [...serviceAccounts, ...roles, ...bindings, service] as readonly Manifest[];
  await cluster.admin.apply(...created, ...objects.filter(({ kind }) => kind === "IngressClass"));
  // The rule for making it is of use only where it is not there.
  if (change === undefined) await cluster.admin.apply(...objects.filter(({ kind }) => kind === "Lease"));
  t.after(() => cluster.admin.delete(...created));

  const tokenFile = join(cluster.dir, `${release}.token`);
  await writeFile(tokenFile, await cluster.createToken(release, NAMESPACE));
  const kubeconfig = await cluster.writeTokenKubeconfig(tokenFile);
  // Ports and directories are the test's.
  const args = workload.spec.template.spec.containers[0].args.filter(
    (arg) => arg !== "run" && !/^--(http-port|https-port|healthz-port|run-dir)=/.test(arg),
  );
  const evener = await Evener.start(
    t,
    {},
    {
      args: ["--source=kube", `--kubeconfig=${kubeconfig}`, "--workers=1", "--shutdown-delay=0s", ...args],
      wrapper: () => ["env", `POD_NAMESPACE=${NAMESPACE}`, `POD_NAME=${release}-0`],
      waitReady: false,
    },
  );
  return { evener, user: `system:serviceaccount:${NAMESPACE}:${release}` };
}

interface Workload {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] };
    };
  };
}

function makeWeb(pod: Backend): Manifest[] {
  const metadata = { name: "web", namespace: "shop" };
  return [
    makeSecret("web-tls", pair, "shop"),
    { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: pod.port }],
      endpoints: [{ addresses: [findPodAddress()] }],
    },
    makeIngress("web", HOST, { namespace: "shop", secret: "web-tls" }),
    {
      apiVersion: "evener.io/v1alpha1",
      kind: "TLSProfile",
      metadata: { name: "strict" },
      spec: { workers: 1 },
    },
    {
      apiVersion: "evener.io/v1alpha1",
      kind: "BackendPolicy",
      metadata,
      spec: { targetRefs: [{ name: "web" }], timeouts: { connectSeconds: 2 } },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...metadata, name: "ca" },
      data: { "ca.crt": clientCa },
    },
    {
      apiVersion: "evener.io/v1alpha1",
      kind: "ClientCertificatePolicy",
      metadata,
      // Nobody has to show a certificate, so that curl gets in.
      spec: { hosts: [HOST], mode: "optional", ca: { configMap: { name: "ca" } } },
    },
  ];
}
