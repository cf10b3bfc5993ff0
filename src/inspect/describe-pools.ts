// SPDX-License-Identifier: Apache-2.0
/** Pools as Balance has them now, or as they were rendered while it does not answer. */
import type { BalanceChannel, BalancePool } from "../balance-client/types.ts";
import { describeSettings } from "../lint/describe-pool.ts";
import type { Channel, Ir, Lane } from "../model/types.ts";
import type { PoolView } from "./types.ts";

export function describePools(ir: Ir, live: readonly BalancePool[] | undefined): readonly PoolView[] {
  const { balance } = ir;
  const requested = new Set(
    balance.tables.flatMap(({ rules, fallback }) => [...rules.map(({ pool }) => pool), fallback?.pool]),
  );
  const how = new Map(
    balance.pools.map(({ name, settings }) => {
      const lane: Lane = requested.has(name) ? "http" : "tcp";
      return [name, describeSettings(settings, lane)];
    }),
  );
  const pools: readonly BalancePool[] =
    live ??
    balance.pools.map(({ name, groups }) => ({
      pool: name,
      groups: groups.map((channels) => ({ mode: "rr", channels: channels.map(describeChannel) })),
    }));
  return pools.map((pool) => ({ ...pool, how: how.get(pool.pool) ?? [] }));
}

function describeChannel({ address, port, max }: Channel): BalanceChannel {
  const channel = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return { channel, max, active: 0, total: 0, failed: 0, bytes_in: 0, bytes_out: 0 };
}
