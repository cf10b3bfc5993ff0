// SPDX-License-Identifier: Apache-2.0
/** values.yaml, values.schema.json and README.md say the same, and every key that is none is refused. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { describe } from "node:test";
import { parse } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { listDrift } from "../tools/generate.ts";
import { CHART_DIR, PREVIOUS_CHART, runHelm } from "../tools/helm.ts";
import { type Schema, VALUES_SCHEMA } from "../tools/schema.ts";
import { readValueDocs } from "../tools/values-doc.ts";
import { type Any, assertInvalid, renderOne } from "./lib/assert-chart.ts";

/** Maps whose keys are the user's own. Everything else has exactly the keys of the schema. */
const FREE = [
  ...["global", "commonLabels", "config", "extraArgs", "tcp", "secrets.names", "nodeSelector", "resources"],
  ...["annotations", "podAnnotations", "podLabels", "affinity", "updateStrategy", "lifecycle"],
  ...["podSecurityContext", "securityContext", "autoscaling.behavior", "serviceAccount.annotations"],
  ...["ingressClassResource.annotations", "service.annotations", "service.labels"],
  ...["metrics.service.annotations", "metrics.service.labels", "metrics.serviceMonitor.labels"],
  ...["metrics.prometheusRule.labels", "metrics.prometheusRule.alertLabels"],
  ...["metrics.dashboard.labels", "metrics.dashboard.annotations"],
];

const values = parse(await readFile(join(CHART_DIR, "values.yaml"), "utf8")) as Record<string, unknown>;

test("the generated files are what their sources say", async () => {
  assert.deepEqual(await listDrift(), []);
});

test("a value without a comment is noticed", () => {
  const yaml = "## Group\n\n# Said.\na: 1\nb:\n  # Said too.\n  c: 2\n  d: 3\ne: 4\n";
  assert.throws(() => readValueDocs(yaml), /no comment above: b\.d, e$/);
});

test("the schema has every key of values.yaml, and no other", () => {
  const extra: string[] = [];
  const open: string[] = [];
  const compare = (schema: Schema, value: unknown, path: readonly string[]) => {
    const name = path.join(".");
    if (schema.type === "object" && schema.properties === undefined) {
      open.push(name);
      return;
    }
    if (schema.properties === undefined) return;
    assert.equal(schema.additionalProperties, false, name);
    // Its keys are all optional: the default is an empty map.
    if (name === "ingressClassResource.parameters" || name.startsWith("probes.")) return;
    const known = Object.keys(schema.properties);
    const given = Object.keys((value ?? {}) as object);
    extra.push(...known.filter((key) => !given.includes(key)).map((key) => [...path, key].join(".")));
    assert.deepEqual(
      given.filter((key) => !known.includes(key)),
      [],
      name,
    );
    for (const [key, child] of Object.entries(schema.properties)) {
      compare(child, (value as Record<string, unknown>)[key], [...path, key]);
    }
  };
  compare(VALUES_SCHEMA, values, []);
  assert.deepEqual(extra, ["global"]);
  assert.deepEqual(open.toSorted(), FREE.toSorted());
});

test("lint finds nothing to say", async () => {
  const { ok, stdout, stderr } = await runHelm(["lint", "--strict", "--quiet", CHART_DIR]);
  assert.ok(ok, stdout + stderr);
});

test("upgrades are tried from a version before this one", async () => {
  const read = async (chart: string) => {
    const { version } = parse((await runHelm(["show", "chart", chart])).stdout) as { version: string };
    return version.split(".").map(Number);
  };
  const [now = [], before = []] = [await read(CHART_DIR), await read(PREVIOUS_CHART)];
  const older = before.findIndex((part, i) => part !== now[i]);
  assert.ok(older >= 0 && (before[older] ?? 0) < (now[older] ?? 0), `${before.join(".")}, ${now.join(".")}`);
});

test("the chart installs the version that package.json has", async () => {
  const chart = parse(await readFile(join(CHART_DIR, "Chart.yaml"), "utf8")) as { appVersion: string };
  assert.equal(chart.appVersion, packageJson.version);
});

test("every template has a test of its own", async () => {
  const templates = (await readdir(join(CHART_DIR, "templates"))).filter((name) => name.endsWith(".yaml"));
  const tests = await readdir(join(import.meta.dirname, "templates"));
  assert.deepEqual(tests.toSorted(), templates.map((name) => name.replace(".yaml", ".test.ts")).toSorted());
});

test("another chart can depend on this one and set its `global`", async () => {
  await renderOne("IngressClass", { global: { anything: true } });
});

describe("refused by the schema", () => {
  const cases: readonly (readonly [string, Any, RegExp])[] = [
    ["a key that is none", { replicas: 2 }, /additional properties 'replicas' not allowed/],
    [
      "a key that is none, deep down",
      { metrics: { serviceMonitor: { intervall: "1s" } } },
      /'intervall' not allowed/,
    ],
    ["a key that is none, in a port", { tcp: { pg: { port: 1, target: 2 } } }, /'target' not allowed/],
    ["another kind", { controller: { kind: "StatefulSet" } }, /\/controller\/kind/],
    ["text for a number", { replicaCount: "two" }, /\/replicaCount/],
    ["fewer than no pods", { replicaCount: -1 }, /\/replicaCount/],
    ["a port beyond the last", { containerPort: { http: 65536 } }, /\/containerPort\/http/],
    ["a digest that is none", { image: { digest: "sha256:abc" } }, /\/image\/digest/],
    ["an image with an option in it", { image: { repository: "--privileged" } }, /\/image\/repository/],
    [
      "a class name in capitals",
      { ingressClassResource: { name: "Evener" } },
      /\/ingressClassResource\/name/,
    ],
    [
      "a controller without a path",
      { ingressClassResource: { controllerValue: "evener" } },
      /\/controllerValue/,
    ],
    ["a namespace with a slash", { scope: { enabled: true, namespace: "a/b" } }, /\/scope\/namespace/],
    ["a Service path without a namespace", { publishService: { pathOverride: "front" } }, /\/pathOverride/],
    [
      "an address with a flag in it",
      { publishStatusAddresses: ["1.2.3.4 --x"] },
      /\/publishStatusAddresses\/0/,
    ],
    ["a Secret path with three parts", { defaultTLS: { existingSecret: "a/b/c" } }, /\/existingSecret/],
    [
      "a certificate that is no PEM",
      { defaultTLS: { certificate: "MIIB", key: "MIIB" } },
      /\/defaultTLS\/certificate/,
    ],
    ["another way to read Secrets", { secrets: { access: "all" } }, /\/secrets\/access/],
    [
      "a namespace without Secrets",
      { secrets: { access: "named", names: { shop: [] } } },
      /\/secrets\/names\/shop/,
    ],
    ["a flag with its dashes", { config: { "--log-level": "debug" } }, /\/config/],
    ["a map for a flag", { config: { workers: { min: 1 } } }, /\/config\/workers/],
    ["a flag that is null", { config: { workers: [null] } }, /\/config\/workers/],
    ["a port's name that is too long", { tcp: { "a-very-long-port-name": { port: 1 } } }, /\/tcp/],
    ["a TCP service without a port", { tcp: { pg: { nodePort: 30000 } } }, /missing property 'port'/],
    ["another type of Service", { service: { type: "ExternalName" } }, /\/service\/type/],
    ["a network without a mask", { service: { loadBalancerSourceRanges: ["192.0.2.1"] } }, /SourceRanges/],
    ["three families", { service: { ipFamilies: ["IPv4", "IPv6", "IPv4"] } }, /\/service\/ipFamilies/],
    ["a policy in lower case", { service: { externalTrafficPolicy: "local" } }, /\/externalTrafficPolicy/],
    ["a number as annotation", { podAnnotations: { port: 80 } }, /\/podAnnotations\/port/],
    ["an odd percentage", { podDisruptionBudget: { minAvailable: "half" } }, /\/minAvailable/],
    ["another scope", { rbac: { scope: "global" } }, /\/rbac\/scope/],
    ["a size without a number", { volumes: { runSizeLimit: "big" } }, /\/volumes\/runSizeLimit/],
    ["a token for a minute", { volumes: { tokenExpirationSeconds: 60 } }, /\/tokenExpirationSeconds/],
    ["an interval without a unit", { metrics: { serviceMonitor: { interval: "30" } } }, /\/interval/],
    ["another path for a probe", { probes: { liveness: { httpGet: {} } } }, /'httpGet' not allowed/],
    ["no network policy port", { networkPolicy: { egress: { apiServerPorts: [] } } }, /\/apiServerPorts/],
  ];
  for (const [name, given, pattern] of cases) {
    test(name, async () => {
      await assertInvalid(given, pattern);
    });
  }
});
