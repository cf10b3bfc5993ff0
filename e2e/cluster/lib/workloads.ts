// SPDX-License-Identifier: Apache-2.0
/** Looking at Deployments and their pods, as `kubectl rollout` does. */
import { eventually } from "../../../test/fixtures/eventually.ts";
import type { ApiClient } from "../../kube/lib/api-client.ts";

const ROLLOUT_MS = 180_000;

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

export class Workloads {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async pods(namespace: string, selector: string): Promise<Pod[]> {
    const query = `labelSelector=${encodeURIComponent(selector)}`;
    const { json } = await this.#api.call("GET", `/api/v1/namespaces/${namespace}/pods?${query}`);
    return (json as unknown as { items: Pod[] }).items;
  }

  /** Pods that are ready and not about to go. */
  async readyPods(namespace: string, selector: string): Promise<Pod[]> {
    const all = await this.pods(namespace, selector);
    return all.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  }

  /** Until every pod is of the newest template and the old ones are gone; how long that took. */
  async waitRollout(namespace: string, name: string, selector: string): Promise<number> {
    const start = Date.now();
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    await eventually(
      `${name} has been rolled out`,
      async () => {
        const { json } = await this.#api.call("GET", path);
        const { metadata, spec, status } = json as unknown as Deployment;
        // Zeros are left out of a status.
        const {
          observedGeneration = 0,
          replicas = 0,
          updatedReplicas = 0,
          availableReplicas = 0,
        } = status ?? {};
        const counts = [replicas, updatedReplicas, availableReplicas];
        const done =
          observedGeneration >= metadata.generation && counts.every((count) => count === spec.replicas);
        return done && (await this.pods(namespace, selector)).length === spec.replicas;
      },
      ROLLOUT_MS,
    );
    return Date.now() - start;
  }

  async scale(namespace: string, name: string, replicas: number): Promise<void> {
    await this.#patch(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, { spec: { replicas } });
  }

  /** What `kubectl rollout restart` does. */
  async restart(namespace: string, name: string): Promise<void> {
    const annotations = { "e2e/restarted": new Date().toISOString() };
    const spec = { template: { metadata: { annotations } } };
    await this.#patch(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, { spec });
  }

  /** As a cloud's load balancer would. */
  async assignAddress(namespace: string, service: string, ip: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/services/${service}/status`;
    await this.#patch(path, { status: { loadBalancer: { ingress: [{ ip }] } } });
  }

  async #patch(path: string, body: unknown): Promise<void> {
    const { status, json } = await this.#api.call("PATCH", path, body, "application/merge-patch+json");
    if (status !== 200) throw new Error(`PATCH ${path}: ${JSON.stringify(json)}`);
  }
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}
