// SPDX-License-Identifier: Apache-2.0
/** Who may read the page: whoever reaches the port on purpose, and no other web site through their browser. */
import { isIP } from "node:net";

export interface Asked {
  readonly method: string | undefined;
  /** Every Host field there was. */
  readonly hosts: readonly string[];
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

export interface Refusal {
  readonly status: 400 | 403 | 405;
  readonly message: string;
}

/**
 * DNS rebinding makes a browser believe that the attacker's name is this address; the name stays in Host. An address as Host is
 * nobody's name, and `localhost` never leaves the machine (RFC 6761, section 6.3).
 */
export function refuse(asked: Asked, names: readonly string[]): Refusal | undefined {
  const { method, hosts, fetchSite, fetchMode } = asked;
  if (method !== "GET" && method !== "HEAD") return { status: 405, message: "only GET and HEAD" };
  const [host, ...more] = hosts;
  if (host === undefined || more.length > 0) return { status: 400, message: "one Host field is needed" };
  if (!isTrusted(host, names)) {
    return {
      status: 403,
      message: "this name is not ours: use an address or localhost, or set --inspection-host",
    };
  }
  // A link to here is fine; a picture, a script or a fetch on somebody else's page is not.
  const foreign = fetchSite === "cross-site" || fetchSite === "same-site";
  if (foreign && fetchMode !== "navigate") return { status: 403, message: "not for other sites" };
  return undefined;
}

function isTrusted(host: string, names: readonly string[]): boolean {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(host);
  if (match === null) return false;
  const [, v6, other = ""] = match;
  if (v6 !== undefined) return isIP(v6) === 6;
  const name = other.toLowerCase();
  return isIP(name) === 4 || name === "localhost" || names.includes(name);
}
