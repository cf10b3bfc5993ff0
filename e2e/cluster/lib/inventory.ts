// SPDX-License-Identifier: Apache-2.0
/** Every object of every kind that a cluster has, by name: for what an uninstallation leaves behind. */
import type { ApiClient } from "../../kube/lib/api-client.ts";

/** They come and go by themselves. */
const PASSING = new Set(["events", "componentstatuses"]);
/** Where kubelet makes the node's own Lease, some time after its start. */
const OF_NODES = "kube-node-lease";

interface Resource {
  readonly name: string;
  readonly verbs: readonly string[];
}

interface List {
  readonly items?: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[];
}

export async function listEverything(api: ApiClient): Promise<Set<string>> {
  const { json } = await api.call("GET", "/apis");
  const groups = (json as unknown as { groups: { preferredVersion: { groupVersion: string } }[] }).groups;
  const roots = [
    "/api/v1",
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const names = await Promise.all(roots.map((root) => listGroup(api, root)));
  return new Set(names.flat());
}

async function listGroup(api: ApiClient, root: string): Promise<string[]> {
  const { json } = await api.call("GET", root);
  const { resources } = json as unknown as { resources: Resource[] };
  const wanted = resources.filter(({ name, verbs }) => verbs.includes("list") && !PASSING.has(name));
  const names = await Promise.all(
    wanted.map(async ({ name }) => {
      const { items = [] } = (await api.call("GET", `${root}/${name}`)).json as List;
      const others = items.filter(({ metadata }) => metadata.namespace !== OF_NODES);
      return others.map(({ metadata }) => `${root}/${name} ${metadata.namespace ?? ""}/${metadata.name}`);
    }),
  );
  return names.flat();
}
