// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { parseRunArgs } from "../../tools/flags.ts";
import { renderChart } from "../../tools/helm.ts";
import { type Any, assertNone, renderOne } from "../lib/assert-chart.ts";
import { VALUE_SETS } from "../lib/value-sets.ts";

/** Of every set of values that has one. */
async function* renderPods(): AsyncGenerator<{ name: string; workload: Any; pod: Any; container: Any }> {
  for (const [name, values] of Object.entries(VALUE_SETS)) {
    const workload: Any = (await renderChart(values)).find(({ kind }) =>
      /^(Deployment|DaemonSet)$/.test(kind),
    );
    const pod = workload.spec.template.spec;
    yield { name, workload, pod, container: pod.containers[0] };
  }
}

test("two replicas by default, replaced one at a time, the new one first", async () => {
  const { spec } = await renderOne("Deployment");
  assert.equal(spec.replicas, 2);
  assert.deepEqual(spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
});

test("no pods at all when replicaCount is 0", async () => {
  assert.equal((await renderOne("Deployment", { replicaCount: 0 })).spec.replicas, 0);
});

test("with autoscaling the replicas are the autoscaler's", async () => {
  assert.ok(!("replicas" in (await renderOne("Deployment", { autoscaling: { enabled: true } })).spec));
});

test("with ports of the node the old pod goes first", async () => {
  const { spec } = await renderOne("Deployment", { hostPort: { enabled: true } });
  assert.deepEqual(spec.strategy.rollingUpdate, { maxSurge: 0, maxUnavailable: 1 });
});

test("a given strategy is taken as it is", async () => {
  const { spec } = await renderOne("Deployment", { updateStrategy: { type: "Recreate" } });
  assert.deepEqual(spec.strategy, { type: "Recreate" });
});

test("there is none with a DaemonSet", async () => {
  await assertNone("Deployment", { controller: { kind: "DaemonSet" } });
});

test("the zone is the pod's label, or what is given", async () => {
  const read = async (values: Record<string, unknown>) => {
    const [container] = (await renderOne("Deployment", values)).spec.template.spec.containers;
    const env = container.env.find((one: Any) => one.name === "EVENER_ZONE");
    return { env, zone: parseRunArgs(container.args.slice(1)).zone };
  };
  const { env, zone } = await read({});
  assert.deepEqual(env.valueFrom.fieldRef, {
    apiVersion: "v1",
    fieldPath: "metadata.labels['topology.kubernetes.io/zone']",
  });
  assert.equal(zone, undefined);
  assert.deepEqual(await read({ zone: "eu-1a" }), { env: undefined, zone: "eu-1a" });
});

test("the selector is name and instance only, and the pods have both, in every set of values", async () => {
  for await (const { name, workload } of renderPods()) {
    const { matchLabels } = workload.spec.selector;
    assert.deepEqual(
      Object.keys(matchLabels),
      ["app.kubernetes.io/name", "app.kubernetes.io/instance"],
      name,
    );
    for (const [key, value] of Object.entries(matchLabels)) {
      assert.equal(workload.spec.template.metadata.labels[key], value, name);
    }
  }
});

test("common labels and the pods' own can't break the selector", async () => {
  const wrong = { "app.kubernetes.io/instance": "other", team: "edge" };
  const { metadata, spec } = await renderOne("Deployment", { commonLabels: wrong, podLabels: wrong });
  assert.equal(metadata.labels.team, "edge");
  assert.equal(metadata.labels["app.kubernetes.io/instance"], "evener");
  assert.equal(spec.template.metadata.labels["app.kubernetes.io/instance"], "evener");
});

test("what Pod Security calls restricted, in every set of values", async () => {
  for await (const { name, pod, container } of renderPods()) {
    assert.deepEqual(pod.securityContext, {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.equal(pod.containers.length, 1, name);
  }
});

test("the token is not mounted by itself, and comes short-lived by a projected volume", async () => {
  for await (const { pod, container } of renderPods()) {
    assert.equal(pod.automountServiceAccountToken, false);
    // With fsGroup the node would let a group read the token.
    assert.ok(!("fsGroup" in pod.securityContext));
    const { projected } = pod.volumes.find(({ name }: Any) => name === "api-access");
    assert.equal(projected.defaultMode, 0o444);
    assert.deepEqual(projected.sources[0], {
      serviceAccountToken: { path: "token", expirationSeconds: 3600 },
    });
    assert.deepEqual(projected.sources[1].configMap.name, "kube-root-ca.crt");
    assert.equal(projected.sources[2].downwardAPI.items[0].path, "namespace");
    const mount = container.volumeMounts.find(({ name }: Any) => name === "api-access");
    assert.deepEqual(mount, {
      name: "api-access",
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
      readOnly: true,
    });
  }
});

test("keys are in memory", async () => {
  const { spec } = (await renderOne("Deployment")).spec.template;
  const run = spec.volumes.find(({ name }: Any) => name === "run");
  assert.deepEqual(run.emptyDir, { medium: "Memory", sizeLimit: "64Mi" });
  assert.ok(spec.containers[0].volumeMounts.some(({ mountPath }: Any) => mountPath === "/run/evener"));
  // The program can't make a mount its own; a directory in it, it can.
  assert.ok(spec.containers[0].args.includes("--run-dir=/run/evener/live"));
});

test("the program takes the arguments of every set of values", async () => {
  for await (const { name, container } of renderPods()) {
    const [command, ...args] = container.args;
    assert.equal(command, "run", name);
    assert.doesNotThrow(() => parseRunArgs(args), name);
  }
});

test("values become flags", async () => {
  const { args } = (await renderOne("Deployment", VALUE_SETS["everything about the pods"])).spec.template.spec
    .containers[0];
  const options = parseRunArgs(args.slice(1));
  assert.equal(options.workers, 4);
  assert.equal(options.logLevel, "debug");
  assert.equal(options.shutdownGracePeriod, 90);
  assert.equal(options.shutdownDelay, 10);
  assert.equal(options.updateStatusOnShutdown, false);
  assert.equal(options.hostOwnership, "namespace");
  assert.equal(options.reloadInterval, 0.5);
  assert.equal(options.watchIngressWithoutClass, true);
  assert.equal(options.electionId, "edge-leader");
  assert.equal(options.publishService, "ingress/edge");
});

test("numbers stay numbers, lists are repeated, and a flag can go without a value", async () => {
  const values = {
    config: { workers: 12 },
    extraArgs: { "new-flag": 10000000, many: ["a", "b"], bare: null },
  };
  const { args } = (await renderOne("Deployment", values)).spec.template.spec.containers[0];
  assert.deepEqual(args.slice(-5), ["--workers=12", "--bare", "--many=a", "--many=b", "--new-flag=10000000"]);
});

test("nothing in a value can leave its argument", async () => {
  const value = 'x"\n- --y\n#';
  const { args } = (await renderOne("Deployment", { extraArgs: { odd: value } })).spec.template.spec
    .containers[0];
  assert.equal(args.at(-1), `--odd=${value}`);
});

test("watched namespaces, default certificate, statuses and Secrets", async () => {
  const args = async (set: string) =>
    (await renderOne("Deployment", VALUE_SETS[set])).spec.template.spec.containers[0].args as string[];
  const other = await args("other namespaces");
  assert.deepEqual(
    other.filter((arg) => arg.startsWith("--watch-namespace")),
    ["--watch-namespace=shop", "--watch-namespace=blog"],
  );
  assert.ok(other.includes("--default-ssl-certificate=certificates/wildcard"));
  assert.ok(other.includes("--publish-service=network/front"));
  assert.ok(other.includes("--secrets=tls"));
  const own = await args("own namespace");
  assert.ok(own.includes("--watch-namespace=ingress"));
  assert.ok(own.includes("--default-ssl-certificate=ingress/evener-default-tls"));
  assert.ok((await args("Secrets by name")).includes("--secrets=named"));
  assert.ok((await args("Secrets by name")).includes("--default-ssl-certificate=ingress/wildcard"));
});

test("the image by tag or by digest", async () => {
  const image = async (value: object) =>
    (await renderOne("Deployment", { image: value })).spec.template.spec.containers[0].image;
  assert.equal(await image({}), "evener/evener:0.1.0");
  assert.equal(await image({ tag: "1.2.3" }), "evener/evener:1.2.3");
  const digest = `sha256:${"0".repeat(64)}`;
  assert.equal(await image({ tag: "1.2.3", digest }), `evener/evener@${digest}`);
});

test("probes ask the health port", async () => {
  const { containers } = (await renderOne("Deployment", { metrics: { port: 9000 } })).spec.template.spec;
  const { livenessProbe, readinessProbe, startupProbe, ports } = containers[0];
  assert.deepEqual(livenessProbe.httpGet, { path: "/healthz", port: "metrics" });
  assert.deepEqual(readinessProbe.httpGet, { path: "/readyz", port: "metrics" });
  assert.deepEqual(startupProbe.httpGet, { path: "/healthz", port: "metrics" });
  assert.ok(ports.some(({ name, containerPort }: Any) => name === "metrics" && containerPort === 9000));
});

test("constraints of spread get the pods' labels where they select nothing themselves", async () => {
  const constraints = async (set: string) =>
    (await renderOne("Deployment", VALUE_SETS[set])).spec.template.spec.topologySpreadConstraints;
  const matchLabels = { "app.kubernetes.io/name": "evener", "app.kubernetes.io/instance": "evener" };
  assert.deepEqual((await constraints("default"))[0].labelSelector, { matchLabels });
  const [own, filled] = await constraints("everything about the pods");
  assert.deepEqual(Object.keys(own.labelSelector), ["matchExpressions"]);
  assert.deepEqual(filled.labelSelector, { matchLabels });
});

test("ports of TCP services, and of the node", async () => {
  const { ports } = (await renderOne("Deployment", VALUE_SETS["TCP services"])).spec.template.spec
    .containers[0];
  assert.deepEqual(ports.slice(3), [
    { name: "mqtts", containerPort: 18883, protocol: "TCP", hostPort: 8883 },
    { name: "postgres", containerPort: 5432, protocol: "TCP" },
  ]);
  const { ports: node } = (await renderOne("Deployment", VALUE_SETS["node's ports, Deployment"])).spec
    .template.spec.containers[0];
  assert.deepEqual(
    node.map(({ name, hostPort }: Any) => [name, hostPort]),
    [
      ["http", undefined],
      ["https", 443],
      ["metrics", undefined],
    ],
  );
});

test("everything about the pods reaches them", async () => {
  const { metadata, spec } = await renderOne("Deployment", VALUE_SETS["everything about the pods"]);
  const { metadata: podMeta, spec: pod } = spec.template;
  assert.equal(metadata.name, "edge");
  assert.deepEqual(metadata.annotations, { note: "deployment" });
  assert.deepEqual(podMeta.annotations, { note: "pod" });
  assert.equal(podMeta.labels.zone, "public");
  assert.equal(pod.priorityClassName, "system-cluster-critical");
  assert.equal(pod.runtimeClassName, "sandbox");
  assert.equal(pod.dnsPolicy, "Default");
  assert.equal(pod.terminationGracePeriodSeconds, 120);
  assert.deepEqual(pod.containers[0].lifecycle, { preStop: { sleep: { seconds: 5 } } });
  assert.deepEqual(pod.containers[0].env.at(-1), { name: "TZ", value: "UTC" });
  assert.equal(pod.containers[0].readinessProbe.initialDelaySeconds, 1);
  assert.ok(pod.volumes.some(({ name }: Any) => name === "more"));
  assert.ok(pod.containers[0].volumeMounts.some(({ mountPath }: Any) => mountPath === "/more"));
  assert.equal(spec.minReadySeconds, 5);
});

test("Secrets for pulling", async () => {
  const { spec } = (await renderOne("Deployment", VALUE_SETS["cloud load balancer"])).spec.template;
  assert.deepEqual(spec.imagePullSecrets, [{ name: "pull" }]);
});

test("names of a release", async () => {
  const name = async (release: string) =>
    (await renderOne("Deployment", {}, undefined, { release })).metadata.name as string;
  assert.equal(await name("evener"), "evener");
  assert.equal(await name("edge"), "edge-evener");
  assert.equal(await name("my-evener-2"), "my-evener-2");
  // The longest name of an object is this and "-metrics", and that of a Service has 63 characters.
  assert.ok((await name("a".repeat(53))).length <= 55);
});
