// SPDX-License-Identifier: Apache-2.0
/** EndpointSlices by Service, kept from one rebuild to the next: of thousands of slices one has changed. */
import type { V1EndpointSlice } from "@kubernetes/client-node";
import type { Store } from "./types.ts";

const SERVICE_LABEL = "kubernetes.io/service-name";
const NONE: readonly V1EndpointSlice[] = Object.freeze([]);

/** Names of Services, `namespace/name`. */
export type SomeServices = Pick<ReadonlySet<string>, "has" | "size">;

export class SliceIndex {
  #slices: Store["endpointSlices"] = new Map();
  readonly #byService = new Map<string, readonly V1EndpointSlice[]>();

  /** Takes over the slices as they are now. Returns the Services whose slices are not what they were. */
  update(slices: Store["endpointSlices"]): SomeServices {
    const changes = new Changes(this.#byService);
    let kept = 0;
    for (const [key, slice] of slices) {
      const before = this.#slices.get(key);
      if (before !== undefined) kept++;
      if (before !== slice) changes.replace(before, slice);
    }
    // Whoever was not met again is gone.
    if (kept < this.#slices.size) {
      for (const [key, slice] of this.#slices) if (!slices.has(key)) changes.replace(slice, undefined);
    }
    this.#slices = slices;
    return changes.services();
  }

  /** The same array as long as the Service's slices are the same. */
  get(service: string): readonly V1EndpointSlice[] {
    return this.#byService.get(service) ?? NONE;
  }
}

class Changes {
  readonly #byService: Map<string, readonly V1EndpointSlice[]>;
  /** Arrays made for this update, which may still be written to. */
  readonly #fresh = new Map<string, V1EndpointSlice[]>();

  constructor(byService: Map<string, readonly V1EndpointSlice[]>) {
    this.#byService = byService;
  }

  replace(before: V1EndpointSlice | undefined, after: V1EndpointSlice | undefined): void {
    const from = serviceOf(before);
    const to = serviceOf(after);
    if (from !== undefined && before !== undefined) {
      const list = this.#edit(from);
      const place = list.indexOf(before);
      if (from === to && after !== undefined) {
        list[place] = after;
        return;
      }
      list.splice(place, 1);
    }
    if (to !== undefined && after !== undefined) this.#edit(to).push(after);
  }

  services(): SomeServices {
    for (const [service, list] of this.#fresh) if (list.length === 0) this.#byService.delete(service);
    return this.#fresh;
  }

  #edit(service: string): V1EndpointSlice[] {
    let list = this.#fresh.get(service);
    if (list === undefined) {
      list = this.#byService.get(service)?.slice() ?? [];
      this.#fresh.set(service, list);
      this.#byService.set(service, list);
    }
    return list;
  }
}

function serviceOf(slice: V1EndpointSlice | undefined): string | undefined {
  const service = slice?.metadata?.labels?.[SERVICE_LABEL];
  return service === undefined ? undefined : `${slice?.metadata?.namespace ?? ""}/${service}`;
}
