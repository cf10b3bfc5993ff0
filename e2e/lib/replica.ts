// SPDX-License-Identifier: Apache-2.0
/** Evener as a replica in a cluster. */
import { networkInterfaces } from "node:os";
import type { TestContext } from "node:test";
import type { Cluster, User } from "../kube/lib/cluster.ts";
import { type Backend, startBackend } from "./backend.ts";
import { Evener } from "./evener.ts";
import { type Manifest, makeEndpoints, makeService } from "./manifests.ts";

/** What a replica that watches all namespaces may do, and nothing else. */
export const RULES: readonly Manifest[] = [
  rule("", ["services", "secrets", "configmaps"], ["list", "watch"]),
  rule("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
  rule("networking.k8s.io", ["ingresses"], ["get", "list", "watch"]),
  rule("networking.k8s.io", ["ingressclasses"], ["list", "watch"]),
  rule("networking.k8s.io", ["ingresses/status"], ["patch"]),
  rule("evener.io", ["backendpolicies", "clientcertificatepolicies", "tlsprofiles"], ["list", "watch"]),
  rule(
    "evener.io",
    ["backendpolicies/status", "clientcertificatepolicies/status", "tlsprofiles/status"],
    ["patch"],
  ),
  rule("events.k8s.io", ["events"], ["create", "patch"]),
  rule("coordination.k8s.io", ["leases"], ["create", "get", "update"]),
];

/** The API takes no loopback address for an endpoint, so a pod has one of this machine's others. */
export function findPodAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ internal, family }) => !internal && family === "IPv4");
  if (found === undefined) throw new Error("this machine has only loopback addresses");
  return found.address;
}

/** A Service with a pod for each port. */
export function makePods(name: string, ports: readonly number[]): Manifest[] {
  const endpoints = [{ addresses: [findPodAddress()], conditions: { ready: true } }];
  return [makeService(name), ...makeEndpoints(name, ports).map((slice) => ({ ...slice, endpoints }))];
}

export async function startPod(t: TestContext, name: string): Promise<Backend> {
  return startBackend(t, name, 0, findPodAddress());
}

function rule(group: string, resources: readonly string[], verbs: readonly string[]): Manifest {
  return { apiGroups: [group], resources, verbs };
}

export function addReplicaUser(cluster: Cluster, name: string): Promise<User> {
  return cluster.addUserWithRules(name, RULES);
}

export async function startReplica(t: TestContext, user: User, args: readonly string[]): Promise<Evener> {
  const all = [
    "--source",
    "kube",
    "--kubeconfig",
    user.kubeconfig,
    "--workers",
    "1",
    "--shutdown-delay",
    "0s",
  ];
  return Evener.start(t, {}, { args: [...all, ...args] });
}

/** Sudden death: nobody ends the children either but us. */
export async function killReplica(replica: Evener): Promise<void> {
  const children = ["hitch", "balance"].map((name) => replica.childPid(name));
  await replica.stop("SIGKILL");
  for (const pid of children) process.kill(-pid, "SIGKILL");
}

export function isLeader(replica: Evener): Promise<boolean> {
  return replica.metric('evener_leader_election_status{name="evener-leader"}').then((value) => value === 1);
}
