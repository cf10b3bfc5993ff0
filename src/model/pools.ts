// SPDX-License-Identifier: Apache-2.0
/** Service ports that are asked for, and the EndpointSlices → pools. */
import { isDeepStrictEqual } from "node:util";
import type { PoolRequest, Target } from "./backends.ts";
import { buildGroups, type Source } from "./pool-groups.ts";
import { type Finding, type Report, recordFindings, replayFindings } from "./problems.ts";
import { SliceIndex, type SomeServices } from "./slice-index.ts";
import type { Pool, Store } from "./types.ts";

interface Known {
  readonly sources: readonly Source[];
  readonly pool: Pool;
  readonly findings: readonly Finding[];
}

/** A pool whose Service ports and slices are the same objects as the last time is the same object, too. */
export class PoolBuilder {
  readonly #index = new SliceIndex();
  #requests: readonly PoolRequest[] = [];
  #zone: string | undefined;
  /** One for each of the requests. */
  #known: readonly Known[] = [];

  /** In the order of `requests`; what is wrong is also told of pools that no route uses. */
  build(
    requests: readonly PoolRequest[],
    used: ReadonlySet<string>,
    endpointSlices: Store["endpointSlices"],
    zone: string | undefined,
    report: Report,
  ): readonly Pool[] {
    const changed = this.#index.update(endpointSlices);
    if (requests !== this.#requests || zone !== this.#zone) this.#known = this.#match(requests, zone);
    else if (changed.size > 0) this.#known = this.#refresh(changed);
    this.#requests = requests;
    this.#zone = zone;
    const pools: Pool[] = [];
    for (const { pool, findings } of this.#known) {
      replayFindings(findings, report);
      if (used.has(pool.name)) pools.push(pool);
    }
    return pools;
  }

  /** After other changes than those of endpoints. */
  #match(requests: readonly PoolRequest[], zone: string | undefined): readonly Known[] {
    const before = new Map(this.#known.map((known) => [known.pool.name, known]));
    const isSameZone = zone === this.#zone;
    return requests.map((request) => {
      const sources = this.#listSources(request);
      const old = isSameZone ? before.get(request.name) : undefined;
      return old !== undefined && isUnchanged(old, request, sources)
        ? old
        : buildPool(request, sources, zone);
    });
  }

  /** When nothing but the slices of these Services has changed. */
  #refresh(services: SomeServices): readonly Known[] {
    return this.#known.map((known, i) => {
      const request = this.#requests[i];
      if (request === undefined || !known.sources.some(({ key }) => services.has(key))) return known;
      return buildPool(request, this.#listSources(request), this.#zone);
    });
  }

  #listSources({ target, backups }: PoolRequest): readonly Source[] {
    const find = (one: Target): Source => ({ ...one, slices: this.#index.get(one.key) });
    if (backups.length === 0) return target === undefined ? [] : [find(target)];
    return [...(target === undefined ? [] : [target]), ...backups].map(find);
  }
}

function isUnchanged({ sources, pool }: Known, { settings }: PoolRequest, now: readonly Source[]): boolean {
  return (
    isSameList(sources, now, isSameSource) &&
    (pool.settings === settings || isDeepStrictEqual(pool.settings, settings))
  );
}

function isSameSource(a: Source, b: Source): boolean {
  return a.service === b.service && a.port === b.port && a.slices === b.slices;
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
  return { sources, pool: { name, settings, groups }, findings };
}
