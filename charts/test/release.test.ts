// SPDX-License-Identifier: Apache-2.0
/**
 * helm itself against a real API server: one release is upgraded from the previous version of the chart and from each set of values
 * to the next and back, so no change meets a field that can't be changed; and an uninstallation leaves nothing behind.
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { Cluster } from "../../e2e/kube/lib/cluster.ts";
import {
  CHART_DIR,
  type KubeObject,
  PREVIOUS_CHART,
  renderChart,
  runHelm,
  type Values,
} from "../tools/helm.ts";
import { collectionOf, prepareCluster } from "./lib/prepare-cluster.ts";
import { VALUE_SETS } from "./lib/value-sets.ts";

let cluster: Cluster;
let kubeconfig: string;

before(async () => {
  cluster = await Cluster.start();
  await prepareCluster(cluster);
  kubeconfig = (await cluster.addPowerfulUser("helm")).kubeconfig;
});

after(() => cluster?.stop());

test("install, upgrade from any values to any, uninstall", async (t) => {
  const names = Object.keys(VALUE_SETS);
  const made = new Map<string, KubeObject>();
  await t.test("the previous version of the chart is where it begins", async () => {
    const result = await helm(["install", "evener", PREVIOUS_CHART], {});
    assert.ok(result.ok, result.stderr);
  });
  for (const name of [...names, ...names.toReversed()]) {
    const values = withoutFixed(VALUE_SETS[name] ?? {});
    await t.test(name, async () => {
      const result = await helm(["upgrade", "--install", "evener", CHART_DIR, "--values", "-"], values);
      assert.ok(result.ok, result.stderr);
      for (const object of await renderChart(values)) {
        const path = `${collectionOf(object)}/${object.metadata.name}`;
        made.set(path, object);
        assert.equal((await cluster.admin.call("GET", path)).status, 200, path);
      }
    });
  }
  await t.test("what another set had is gone", async () => {
    const now = (await renderChart(VALUE_SETS.default)).map(
      (object) => `${collectionOf(object)}/${object.metadata.name}`,
    );
    assert.deepEqual((await listPresent([...made.keys()])).toSorted(), now.toSorted());
  });
  await t.test("uninstall leaves nothing behind", async () => {
    const result = await helm(["uninstall", "evener", "--cascade", "background"], {});
    assert.ok(result.ok, result.stderr);
    assert.deepEqual(await listPresent([...made.keys()]), []);
  });
});

/** Kubernetes lets nobody change the class of a load balancer that exists (docs/chart.md says so). */
function withoutFixed({ service, ...values }: Values): Values {
  if (service === undefined) return values;
  const { loadBalancerClass: _, ...rest } = service as Readonly<Record<string, unknown>>;
  return { ...values, service: rest };
}

async function listPresent(paths: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const path of paths) if ((await cluster.admin.call("GET", path)).status === 200) present.push(path);
  return present;
}

function helm(args: readonly string[], values: Values) {
  return runHelm([...args, "--namespace", "ingress", "--kubeconfig", kubeconfig], JSON.stringify(values));
}
