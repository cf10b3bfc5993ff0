// SPDX-License-Identifier: Apache-2.0
/** Which protocols Hitch may offer. It has one list for all hosts, and Balance reads HTTP/1.1 only. */
import { ANY_HOST, wildcardOf } from "./names.ts";
import type { Report } from "./problems.ts";
import { compareText } from "./refs.ts";
import type { AlpnProtocol, HttpTable, ModelSettings } from "./types.ts";

const ONLY_HTTP_1: readonly AlpnProtocol[] = ["http/1.1"];

export function chooseAlpn(
  settings: ModelSettings,
  tlsHosts: readonly string[],
  tcpHosts: { has(host: string): boolean },
  table: HttpTable,
  report: Report,
): readonly AlpnProtocol[] {
  if (!settings.alpn.includes("h2")) return settings.alpn;
  const isRelayed = (host: string): boolean => tcpHosts.has(host) || tcpHosts.has(wildcardOf(host) ?? "");
  const read = [...new Set(tlsHosts.filter((host) => !isRelayed(host)))].sort(compareText);
  // These answer for every server name.
  const answersAny = table.fallback !== undefined || table.rules.some((rule) => rule.host === ANY_HOST);
  if (read.length === 0 && !answersAny) return settings.alpn;
  const [host] = read;
  const what = host === undefined ? "what no host name claims" : `host ${host}`;
  const more = read.length > 1 ? ` and ${read.length - 1} more` : "";
  const message = `--alpn: h2 is not offered because of ${what}${more}: the HTTP lane speaks HTTP/1.1`;
  const ref = { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", name: settings.ingressClass };
  report(ref, "error", "AlpnConflict", message);
  const others = settings.alpn.filter((protocol) => protocol !== "h2");
  return others.length > 0 ? others : ONLY_HTTP_1;
}
