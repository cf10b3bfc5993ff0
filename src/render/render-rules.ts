// SPDX-License-Identifier: Apache-2.0
import type { HttpTable, RuleOptions } from "../model/types.ts";
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

/** What stands behind `rule`, for each of a table's. Those of a host stand together, and mostly lead to one pool. */
export function renderRules({ name, rules }: HttpTable): readonly string[] {
  const table = safeTable(name);
  const hostOf = rememberLast(safeHost);
  const poolOf = rememberLast(safePoolName);
  return rules.map(({ host, kind, path, pool, options }) => {
    const target = pool === undefined ? "-" : poolOf(pool);
    return [table, hostOf(host), safeKind(kind), safeUrlPath(path), target, ...listOptions(options)].join(
      " ",
    );
  });
}

/** A value that has just been let through is not checked again. */
function rememberLast(check: (value: string) => string): (value: string) => string {
  let [last, result]: [string | undefined, string] = [undefined, ""];
  return (value) => {
    if (value !== last) [last, result] = [value, check(value)];
    return result;
  };
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
