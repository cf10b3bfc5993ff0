// SPDX-License-Identifier: Apache-2.0
/** What an Ingress's owner can see of Evener's work. */
import type { Cluster } from "../kube/lib/cluster.ts";

export interface SeenEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly reportingController: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly namespace?: string };
  readonly series?: { readonly count: number };
}

interface SeenIngress {
  readonly metadata: { readonly resourceVersion: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly Record<string, string>[] } };
}

export async function listEvents(cluster: Cluster, kind: string, name: string): Promise<SeenEvent[]> {
  const { json } = await cluster.admin.call("GET", "/apis/events.k8s.io/v1/events");
  const { items } = json as unknown as { items: SeenEvent[] };
  return items.filter(({ regarding }) => regarding.kind === kind && regarding.name === name);
}

export async function readIngress(
  cluster: Cluster,
  name: string,
  namespace = "default",
): Promise<SeenIngress> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`;
  return (await cluster.admin.call("GET", path)).json as unknown as SeenIngress;
}

/** `10.1.2.3 lb.example`, as kubectl would print it; empty when there is none. */
export async function readAddress(cluster: Cluster, name: string, namespace = "default"): Promise<string> {
  const { status } = await readIngress(cluster, name, namespace);
  return (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname).join(" ");
}

/** Writes a status as another controller would. */
export async function writeStatus(cluster: Cluster, path: string, ip: string): Promise<void> {
  const body = { status: { loadBalancer: { ingress: [{ ip }] } } };
  const { status } = await cluster.admin.call(
    "PATCH",
    `${path}/status`,
    body,
    "application/merge-patch+json",
  );
  if (status !== 200) throw new Error(`the status of ${path} can't be written: ${status}`);
}
