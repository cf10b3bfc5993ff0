// SPDX-License-Identifier: Apache-2.0
/** The addresses that go into status.loadBalancer.ingress. */
import type { V1Service } from "@kubernetes/client-node";
import { canonicalIp } from "../model/ip.ts";
import { isHost } from "../model/names.ts";
import { compareText } from "../model/refs.ts";

export interface PublishedAddress {
  readonly ip?: string;
  readonly hostname?: string;
}

/**
 * By the type of the Service, as users of ingress-nginx know it:
 *   LoadBalancer  what the load balancer was given, and the external IPs;
 *   NodePort      the external IPs, else the cluster IPs: which nodes may be reached from outside nobody but the operator
 *                 knows (`--publish-status-address`), and reading Nodes would ask for a right over the whole cluster;
 *   ClusterIP     the external IPs, else the cluster IPs;
 *   ExternalName  the name.
 */
export function readServiceAddresses({ spec, status }: V1Service): readonly PublishedAddress[] {
  const external = toAddresses(spec?.externalIPs ?? []);
  switch (spec?.type ?? "ClusterIP") {
    case "LoadBalancer": {
      const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) =>
        toAddresses([ip ?? "", hostname ?? ""]),
      );
      return arrangeAddresses([...balanced, ...external]);
    }
    case "ExternalName":
      return toAddresses([spec?.externalName ?? ""]);
    case "NodePort":
    case "ClusterIP": {
      if (external.length > 0) return arrangeAddresses(external);
      const cluster = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
      return arrangeAddresses(toAddresses(cluster.filter((ip) => ip !== "None")));
    }
    default:
      return [];
  }
}

/** What is no address is left out: the API server would refuse the whole status for it. */
export function toAddresses(texts: readonly string[]): readonly PublishedAddress[] {
  return texts.flatMap((text): readonly PublishedAddress[] => {
    const ip = canonicalIp(text);
    if (ip !== undefined) return [{ ip }];
    return isHost(text) && !text.startsWith("*") ? [{ hostname: text }] : [];
  });
}

/** Sorted and each once, so that two lists can be compared. */
export function arrangeAddresses(addresses: readonly PublishedAddress[]): readonly PublishedAddress[] {
  const byKey = new Map(addresses.map((address) => [keyOfAddress(address), address]));
  return [...byKey].sort(([a], [b]) => compareText(a, b)).map(([, address]) => address);
}

export function isSameAddresses(a: readonly PublishedAddress[], b: readonly PublishedAddress[]): boolean {
  const describe = (list: readonly PublishedAddress[]) => arrangeAddresses(list).map(keyOfAddress).join(" ");
  return a.length === b.length && describe(a) === describe(b);
}

function keyOfAddress({ ip, hostname }: PublishedAddress): string {
  return `${ip ?? ""}|${hostname ?? ""}`;
}
