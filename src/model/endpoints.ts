// SPDX-License-Identifier: Apache-2.0
/** EndpointSlices of a Service port → endpoints. */
import type { V1Endpoint, V1EndpointSlice, V1ServicePort } from "@kubernetes/client-node";
import { canonicalIp } from "./ip.ts";
import { isPortNumber } from "./names.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { compareText, refOf } from "./refs.ts";
import { joinNearness, type Nearness, readNearness } from "./zones.ts";

export interface Endpoint extends Nearness {
  readonly address: string;
  readonly port: number;
}

interface Candidate extends Endpoint {
  readonly ready: boolean;
  readonly leaving: boolean;
}

/** Ready endpoints; when none is ready, those that still serve while they terminate. Sorted, each once. */
export function collectEndpoints(
  slices: readonly V1EndpointSlice[],
  port: V1ServicePort,
  zone: string | undefined,
  report: Report,
): readonly Endpoint[] {
  const candidates = slices.flatMap((slice) => readSlice(slice, port, zone, report));
  const ready = candidates.filter((candidate) => candidate.ready);
  const chosen = ready.length > 0 ? ready : candidates.filter((candidate) => candidate.leaving);
  const unique = new Map<string, Endpoint>();
  for (const { address, port: number, hinted, meant, near } of chosen) {
    const key = sortKey(address, number);
    const known = unique.get(key);
    const nearness =
      known === undefined ? { hinted, meant, near } : joinNearness(known, { hinted, meant, near });
    unique.set(key, { address, port: number, ...nearness });
  }
  return [...unique].sort(([a], [b]) => compareText(a, b)).map(([, endpoint]) => endpoint);
}

function readSlice(
  slice: V1EndpointSlice,
  port: V1ServicePort,
  zone: string | undefined,
  report: Report,
): readonly Candidate[] {
  const ref = () => refOf("EndpointSlice", slice);
  if (slice.addressType !== "IPv4" && slice.addressType !== "IPv6") {
    const message = `addressType ${quote(slice.addressType)} is not supported, only IPv4 and IPv6; the slice is left out`;
    report(ref(), "error", "AddressTypeNotSupported", message, "addressType");
    return [];
  }
  const numbers = (slice.ports ?? [])
    // A slice names its ports as the Service does; the number is the target's, already resolved per pod.
    .filter((p) => (p.name ?? "") === (port.name ?? "") && (p.protocol ?? "TCP") === "TCP")
    .map((p) => p.port ?? numericTarget(port));
  const candidates: Candidate[] = [];
  for (const [i, endpoint] of (slice.endpoints ?? []).entries()) {
    const state = { ...readConditions(endpoint), ...readNearness(endpoint, zone) };
    for (const [j, text] of endpoint.addresses.entries()) {
      const address = canonicalIp(text);
      if (address === undefined || address.includes(":") !== (slice.addressType === "IPv6")) {
        const message = `${quote(text)} is no ${slice.addressType} address; it is left out`;
        report(ref(), "error", "InvalidAddress", message, `endpoints[${i}].addresses[${j}]`);
        continue;
      }
      for (const number of numbers) {
        if (isPortNumber(number)) candidates.push({ address, port: number, ...state });
      }
    }
  }
  return candidates;
}

function readConditions(endpoint: V1Endpoint): { ready: boolean; leaving: boolean } {
  const { ready, serving, terminating } = endpoint.conditions ?? {};
  // The API: an absent `ready` counts as true, an absent `serving` as equal to `ready`.
  const isReady = ready ?? true;
  return { ready: isReady, leaving: (serving ?? isReady) && terminating === true };
}

function numericTarget(port: V1ServicePort): number | undefined {
  if (port.targetPort === undefined) return port.port;
  return typeof port.targetPort === "number" ? port.targetPort : undefined;
}

/** IPv4 before IPv6, by number where that is easy, then by port. */
function sortKey(address: string, port: number): string {
  const number = String(port).padStart(5, "0");
  if (address.includes(":")) return `6 ${address} ${number}`;
  return `4 ${address
    .split(".")
    .map((part) => part.padStart(3, "0"))
    .join(".")} ${number}`;
}
