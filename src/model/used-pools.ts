// SPDX-License-Identifier: Apache-2.0
import type { HttpTable, Route } from "./types.ts";

/** Names of the pools that something leads to. */
export function listPools(routes: readonly Route[], { rules, fallback }: HttpTable): ReadonlySet<string> {
  const used = new Set(routes.map((route) => route.pool));
  for (const { pool } of rules) if (pool !== undefined) used.add(pool);
  if (fallback !== undefined) used.add(fallback.pool);
  return used;
}
