// SPDX-License-Identifier: Apache-2.0
/** A Service port and its backups → the groups of a pool, in the order they are tried. */
import type { V1EndpointSlice } from "@kubernetes/client-node";
import type { BackendSettings } from "./backend-settings.ts";
import { type Target, UNSERVED } from "./backends.ts";
import { collectEndpoints } from "./endpoints.ts";
import { canonicalIp } from "./ip.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { refOf } from "./refs.ts";
import type { Channel } from "./types.ts";
import { prefersZone, splitByZone } from "./zones.ts";

/** A Service port with its slices as they are now. */
export interface Source extends Target {
  readonly slices: readonly V1EndpointSlice[];
}

type Place = Pick<Channel, "address" | "port">;

/** `sources` begins with the Service itself, unless it can't serve; backups follow. */
export function buildGroups(
  sources: readonly Source[],
  settings: BackendSettings,
  zone: string | undefined,
  report: Report,
): readonly (readonly Channel[])[] {
  const found = sources.map((source) => listPlaces(source, settings, zone, report));
  const isEmpty = found.every((groups) => groups.every((group) => group.length === 0));
  for (const [i, groups] of found.entries()) {
    const source = sources[i];
    if (source === undefined || groups.some((group) => group.length > 0)) continue;
    const seen = source.slices.length === 0 ? "no EndpointSlice" : "no usable endpoint in its EndpointSlices";
    const then = isEmpty ? UNSERVED : "others stand in for it";
    report(
      refOf("Service", source.service),
      "warning",
      "NoEndpoints",
      `port ${source.port.port} has ${seen}; ${then}`,
    );
  }
  return toChannels(found.flat(), settings.maxConnectionsPerEndpoint);
}

function listPlaces(
  { service, port, slices }: Source,
  { preferZone, clusterIp }: BackendSettings,
  zone: string | undefined,
  report: Report,
): readonly (readonly Place[])[] {
  const address = clusterIp ? readClusterIp(service.spec?.clusterIP) : undefined;
  if (address !== undefined) return [[{ address, port: port.port }]];
  if (clusterIp) {
    const given = service.spec?.clusterIP;
    const message =
      `service-upstream needs a cluster IP, and the Service has ${given === undefined ? "none" : quote(given)}; ` +
      "its endpoints are used";
    report(refOf("Service", service), "warning", "NoClusterIP", message, "spec.clusterIP");
  }
  const endpoints = collectEndpoints(slices, port, zone, report);
  return zone === undefined ? [endpoints] : splitByZone(endpoints, prefersZone(service, preferZone));
}

/** Headless Services have the word None. */
function readClusterIp(text: string | undefined): string | undefined {
  return text === undefined ? undefined : canonicalIp(text);
}

/** An endpoint is where it is tried first, and nowhere else: Balance counts by address. */
function toChannels(groups: readonly (readonly Place[])[], max: number): readonly (readonly Channel[])[] {
  const seen = new Set<string>();
  return groups
    .map((group) =>
      group.flatMap(({ address, port }) => {
        const key = `${address} ${port}`;
        if (seen.has(key)) return [];
        seen.add(key);
        return [{ address, port, max }];
      }),
    )
    .filter((group) => group.length > 0);
}
