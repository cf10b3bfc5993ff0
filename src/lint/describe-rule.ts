// SPDX-License-Identifier: Apache-2.0
/** What a rule does with a request, in words. */
import { EVERYBODY } from "../model/cidr.ts";
import type { Rule, RuleOptions } from "../model/types.ts";

export function describePath({ kind, path }: Pick<Rule, "kind" | "path">): string {
  return kind === "exact" ? `= ${path}` : `${path === "/" ? "" : path}/*`;
}

/** One phrase for each thing that is not as usual. */
export function describeOptions(options: RuleOptions): readonly string[] {
  const { redirect, rewrite, allow, deny, limitConnections, maxBodyBytes, clientCertificate } = options;
  if (isClosed(options)) return ["answers 403"];
  return [
    ...(options.sslRedirect ? ["http goes to https"] : []),
    ...(redirect === undefined ? [] : [`${redirect.code} to ${redirect.location}`]),
    ...(rewrite === undefined ? [] : [`the pod sees ${rewrite}`]),
    ...(clientCertificate === undefined ? [] : [`client certificate ${clientCertificate.mode}`]),
    ...(allow.length === 0 ? [] : [`only from ${allow.join(", ")}`]),
    ...(deny.length === 0 ? [] : [`not from ${deny.join(", ")}`]),
    ...(limitConnections === 0 ? [] : [`${limitConnections} requests at a time per client`]),
    ...(maxBodyBytes === 0 ? [] : [`bodies up to ${formatSize(maxBodyBytes)}`]),
  ];
}

export function isClosed({ deny }: RuleOptions): boolean {
  return EVERYBODY.every((range) => deny.includes(range));
}

function formatSize(bytes: number): string {
  const units = ["", "k", "m", "g"];
  let power = 0;
  let rest = bytes;
  while (rest % 1024 === 0 && power < units.length - 1) {
    rest /= 1024;
    power++;
  }
  return `${rest}${units[power]}`;
}
