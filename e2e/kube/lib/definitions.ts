// SPDX-License-Identifier: Apache-2.0
/** Installs our custom resource definitions from the chart's directory. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { eventually } from "../../../test/fixtures/eventually.ts";
import type { Manifest } from "../../lib/manifests.ts";
import type { Cluster } from "./cluster.ts";

const DIR = join(import.meta.dirname, "../../../charts/evener/crds");

export async function readDefinitions(): Promise<readonly Manifest[]> {
  const names = (await readdir(DIR)).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(names.map(async (name) => parse(await readFile(join(DIR, name), "utf8")) as Manifest));
}

export async function installDefinitions(cluster: Cluster): Promise<void> {
  const definitions = await readDefinitions();
  await cluster.admin.apply(...definitions);
  await eventually("our kinds are served", async () => {
    for (const definition of definitions) {
      const { names } = definition.spec as { names: { plural: string } };
      const { status } = await cluster.admin.call("GET", `/apis/evener.io/v1alpha1/${names.plural}`);
      if (status !== 200) return false;
    }
    return true;
  });
}
