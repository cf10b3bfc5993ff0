// SPDX-License-Identifier: Apache-2.0
/** Service ports that are asked for, and the EndpointSlices → pools. */
import { isDeepStrictEqual } from "node:util";
import type { V1EndpointSlice } from "@kubernetes/client-node";
import type { PoolRequest, Target } from "./backends.ts";
import { indexSlices, type SliceIndex } from "./endpoints.ts";
import { buildGroups, type Source } from "./pool-groups.ts";
import { type Finding, type Report, recordFindings, replayFindings } from "./problems.ts";
import type { Pool, Store } from "./types.ts";

interface Known {
  readonly sources: readonly Source[];
  readonly zone: string | undefined;
  readonly pool: Pool;
  readonly findings: readonly Finding[];
}

const NONE: readonly V1EndpointSlice[] = [];

/** A pool whose Service ports and slices are the same objects as the last time is the same object, too. */
export class PoolBuilder {
  #known = new Map<string, Known>();

  /** In the order of `requests`; what is wrong is also told of pools that no route uses. */
  build(
    requests: readonly PoolRequest[],
    used: ReadonlySet<string>,
    endpointSlices: Store["endpointSlices"],
    zone: string | undefined,
    report: Report,
  ): readonly Pool[] {
    const index = indexSlices(endpointSlices);
    const before = this.#known;
    const known = new Map<string, Known>();
    const pools: Pool[] = [];
    for (const request of requests) {
      const sources = listSources(request, index);
      const old = before.get(request.name);
      const isSame = old !== undefined && old.zone === zone && isUnchanged(old, request, sources);
      const now = isSame ? old : buildPool(request, sources, zone);
      known.set(request.name, now);
      replayFindings(now.findings, report);
      if (used.has(request.name)) pools.push(now.pool);
    }
    this.#known = known;
    return pools;
  }
}

function listSources({ target, backups }: PoolRequest, index: SliceIndex): readonly Source[] {
  const find = (one: Target): Source => {
    const { namespace = "", name = "" } = one.service.metadata ?? {};
    return { ...one, slices: index.get(`${namespace}/${name}`) ?? NONE };
  };
  if (backups.length === 0) return target === undefined ? [] : [find(target)];
  return [...(target === undefined ? [] : [target]), ...backups].map(find);
}

function isUnchanged({ sources, pool }: Known, { settings }: PoolRequest, now: readonly Source[]): boolean {
  return (
    isSameList(sources, now, isSameSource) &&
    (pool.settings === settings || isDeepStrictEqual(pool.settings, settings))
  );
}

function isSameSource(a: Source, b: Source): boolean {
  return a.service === b.service && a.port === b.port && isSameList(a.slices, b.slices, Object.is);
}

function isSameList<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((item, i) => isSame(item, b[i] as T));
}

function buildPool(
  { name, settings }: PoolRequest,
  sources: readonly Source[],
  zone: string | undefined,
): Known {
  const { result: groups, findings } = recordFindings((report) =>
    buildGroups(sources, settings, zone, report),
  );
  return { sources, zone, pool: { name, settings, groups }, findings };
}
