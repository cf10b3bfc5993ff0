// SPDX-License-Identifier: Apache-2.0
/** The cluster as a source keeps every source's promises, against a real API server. */
import { after, before } from "node:test";
import { testSource } from "../../test/source/contract.ts";
import { Cluster } from "./lib/cluster.ts";
import { openTestSource } from "./lib/source.ts";

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start();
});
after(() => cluster.stop());

const makeService = (name: string, port: number) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { ports: [{ port }] },
});

testSource("the kube source", async (t) => {
  await cluster.admin.call("DELETE", "/api/v1/namespaces/default/services");
  const user = await cluster.addPowerfulUser("contract");
  const source = openTestSource(user.kubeconfig);
  t.after(() => source.stop());
  return {
    source,
    putService: (name, port) => cluster.admin.apply(makeService(name, port)),
    deleteService: (name) => cluster.admin.delete(makeService(name, 80)),
  };
});
