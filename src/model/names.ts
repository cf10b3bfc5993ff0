// SPDX-License-Identifier: Apache-2.0
/** Allow-lists for names. What does not pass is refused, never escaped. */
import { isIP } from "node:net";

/** The host of a rule without one. */
export const ANY_HOST = "*";

const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
// RFC 1123 subdomain as Kubernetes checks object names: its labels have no length limit of their own.
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/;
const MAX_NAME = 253;

/** A namespace or Service name: one DNS-1123 label. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && DNS_LABEL.test(text);
}

/** The name of an Ingress, Secret, IngressClass or EndpointSlice: a DNS-1123 subdomain. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= MAX_NAME && SUBDOMAIN.test(text);
}

/** A Service port name (IANA service name). */
export function isPortName(text: string): boolean {
  return PORT_NAME.test(text);
}

/** A host as it may stand in `spec.rules[].host`: lower case, no address, `*.` only in front. */
export function isHost(text: string): boolean {
  return text.length <= MAX_NAME && HOST.test(text) && isIP(text) === 0;
}

export function isPortNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** The wildcard that covers a host: `www.a.example` → `*.a.example`; none for a wildcard or a single label. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf(".");
  return dot <= 0 || host.startsWith("*") ? undefined : `*${host.slice(dot)}`;
}
