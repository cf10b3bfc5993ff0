// SPDX-License-Identifier: Apache-2.0
/** Service ports that are asked for, and the EndpointSlices → pools. */
import type { V1EndpointSlice, V1Service, V1ServicePort } from "@kubernetes/client-node";
import { type PoolRequest, UNSERVED } from "./backends.ts";
import { collectChannels, indexSlices } from "./endpoints.ts";
import { type Finding, type Report, recordFindings, replayFindings } from "./problems.ts";
import { refOf } from "./refs.ts";
import type { Channel, Pool, PoolTimes, Store } from "./types.ts";

// Long enough for quiet protocols, short enough that a client which vanished is forgotten some day.
const IDLE_TIMEOUT_SECONDS = 3600;

interface Known {
  readonly service: V1Service;
  readonly port: V1ServicePort;
  readonly slices: readonly V1EndpointSlice[];
  readonly pool: Pool;
  readonly findings: readonly Finding[];
}

const NONE: readonly V1EndpointSlice[] = [];

/** A pool whose Service port and slices are the same objects as the last time is the same object, too. */
export class PoolBuilder {
  #known = new Map<string, Known>();

  /** In the order of `requests`; what is wrong is also told of pools that no route uses. */
  build(
    requests: readonly PoolRequest[],
    used: ReadonlySet<string>,
    endpointSlices: Store["endpointSlices"],
    report: Report,
  ): readonly Pool[] {
    const index = indexSlices(endpointSlices);
    const before = this.#known;
    const known = new Map<string, Known>();
    const pools: Pool[] = [];
    for (const { name, times, target } of requests) {
      if (target === undefined) {
        if (used.has(name)) pools.push(makePool(name, times, []));
        continue;
      }
      const { service, port } = target;
      const { namespace = "", name: serviceName = "" } = service.metadata ?? {};
      const slices = index.get(`${namespace}/${serviceName}`) ?? NONE;
      const old = before.get(name);
      const isSame = old?.service === service && old.port === port && isSameList(old.slices, slices);
      const now = isSame ? old : { service, port, slices, ...buildPool(name, times, service, port, slices) };
      known.set(name, now);
      replayFindings(now.findings, report);
      if (used.has(name)) pools.push(now.pool);
    }
    this.#known = known;
    return pools;
  }
}

function buildPool(
  name: string,
  times: PoolTimes,
  service: V1Service,
  port: V1ServicePort,
  slices: readonly V1EndpointSlice[],
): Pick<Known, "pool" | "findings"> {
  const { result: channels, findings } = recordFindings((report) => {
    const found = collectChannels(slices, port, report);
    if (found.length === 0) {
      const seen = slices.length === 0 ? "no EndpointSlice" : "no usable endpoint in its EndpointSlices";
      const message = `port ${port.port} has ${seen}; ${UNSERVED}`;
      report(refOf("Service", service), "warning", "NoEndpoints", message);
    }
    return found;
  });
  return { pool: makePool(name, times, channels), findings };
}

function makePool(name: string, times: PoolTimes, channels: readonly Channel[]): Pool {
  return {
    name,
    times,
    idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS,
    groups: channels.length === 0 ? [] : [channels],
  };
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
