// SPDX-License-Identifier: Apache-2.0
/** A replica's part in the cluster: who it is, and how it reports. */
import { randomUUID } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";
import type { RunSettings } from "../cli/settings.ts";
import { VERSION } from "../cli/version.ts";
import { monotonicClock } from "../clock.ts";
import { HttpTransport } from "../kube/http-transport.ts";
import type { Api } from "../report/api.ts";
import { ClusterReporter } from "../report/cluster-reporter.ts";
import { createHttpApi } from "../report/http-api.ts";
import type { Logger } from "../report/log.ts";
import type { Metrics } from "../report/metrics.ts";

/** What there is when objects come from a cluster. */
export interface Cluster {
  readonly api: Api;
  /** Where the Lease is. */
  readonly namespace: string;
  /** Ends what is still being asked. */
  close(): void;
}

/** The Lease is in our pod's namespace, outside of a cluster in that of the kubeconfig's context. */
export function joinCluster(config: KubeConfig, { pod }: RunSettings): Cluster {
  const context = config.getContextObject(config.getCurrentContext());
  // Its connections are its own: a watch that hangs holds up no Lease.
  const transport = new HttpTransport(config, `evener/${VERSION} reporter`);
  return {
    api: createHttpApi(transport),
    namespace: pod.namespace ?? context?.namespace ?? "default",
    close: () => transport.close(),
  };
}

/** The API's limit for reportingInstance. */
const MAX_INSTANCE = 128;

export function createReporter(
  { api, namespace }: Cluster,
  settings: RunSettings,
  log: Logger,
  metrics: Metrics,
): ClusterReporter {
  const { pod, electionId, model, publishService, updateStatusOnShutdown } = settings;
  const labels = { name: electionId };
  metrics.leaderElectionStatus.set(labels, 0);
  return new ClusterReporter({
    api,
    clock: monotonicClock,
    wallTime: () => new Date(),
    random: Math.random,
    log,
    namespace,
    electionId,
    // A container that is started again in its pod is another candidate.
    identity: `${pod.name}_${randomUUID()}`,
    instance: pod.name.slice(0, MAX_INSTANCE),
    statusAddresses: model.publishStatusAddresses,
    publishService,
    clearAtEnd: updateStatusOnShutdown,
    watchNamespaces: model.watchNamespaces,
    onLeading: (leading) => metrics.leaderElectionStatus.set(labels, leading ? 1 : 0),
  });
}
