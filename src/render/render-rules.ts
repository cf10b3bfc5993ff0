// SPDX-License-Identifier: Apache-2.0
import type { HttpTable, Rule, RuleOptions } from "../model/types.ts";
import {
  safeClientCertificate,
  safeHost,
  safeHsts,
  safeInteger,
  safeKind,
  safePoolName,
  safeRange,
  safeRedirect,
  safeTable,
  safeUrlPath,
} from "./safe.ts";

/** What stands behind `rule`. */
export function renderRule(table: string, { host, kind, path, pool, options }: Rule): string {
  const target = pool === undefined ? "-" : safePoolName(pool);
  return [
    safeTable(table),
    safeHost(host),
    safeKind(kind),
    safeUrlPath(path),
    target,
    ...listOptions(options),
  ].join(" ");
}

/** What stands behind `default`. */
export function renderFallback({ name, fallback }: HttpTable): string | undefined {
  if (fallback === undefined) return undefined;
  return [safeTable(name), safePoolName(fallback.pool), ...listOptions(fallback.options)].join(" ");
}

function listOptions(options: RuleOptions): readonly string[] {
  const { redirect, rewrite, allow, deny, limitConnections, maxBodyBytes, hsts, clientCertificate } = options;
  return [
    ...(options.sslRedirect ? ["ssl-redirect"] : []),
    ...(redirect === undefined ? [] : [`redirect=${safeRedirect(redirect)}`]),
    ...(rewrite === undefined ? [] : [`rewrite=${safeUrlPath(rewrite)}`]),
    ...(allow.length === 0 ? [] : [`allow=${allow.map(safeRange).join(",")}`]),
    ...(deny.length === 0 ? [] : [`deny=${deny.map(safeRange).join(",")}`]),
    ...(limitConnections === 0 ? [] : [`limit-conn=${safeInteger(limitConnections, 1, 2 ** 32 - 1)}`]),
    ...(maxBodyBytes === 0 ? [] : [`max-body=${safeInteger(maxBodyBytes, 1, Number.MAX_SAFE_INTEGER)}`]),
    ...(clientCertificate === undefined ? [] : [`client-cert=${safeClientCertificate(clientCertificate)}`]),
    ...(hsts === undefined ? [] : [`hsts=${safeHsts(hsts)}`]),
  ];
}
