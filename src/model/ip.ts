// SPDX-License-Identifier: Apache-2.0
import { isIPv4, isIPv6 } from "node:net";

/** The one spelling of an address (RFC 5952), without brackets; undefined when it is none or has a zone. */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}
