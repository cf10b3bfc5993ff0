// SPDX-License-Identifier: Apache-2.0
/** What Balance's control socket answers (docs/balance-config.md). */

export interface BalanceListener {
  readonly name: string;
  readonly address: string;
  readonly accepted: number;
  readonly active: number;
  readonly proxy_errors: number;
  readonly no_route: number;
  readonly no_channel: number;
}

/** A process that balances. */
export interface BalanceWorker {
  readonly pid: number;
  readonly generation: number;
  readonly connections: number;
  readonly restarts: number;
}

export interface BalanceStatus {
  readonly version: string;
  readonly generation: number;
  readonly hash: string;
  readonly pid: number;
  readonly uptime: number;
  readonly draining: boolean;
  readonly workers: readonly BalanceWorker[];
  /** Workers of Hitch that have joined; absent: none may. */
  readonly guests?: readonly BalanceWorker[];
  readonly listeners: readonly BalanceListener[];
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly last_error: string | null;
}

export const CHANNEL_STATES = ["up", "down", "ejected", "probing", "disabled", "draining"] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

export interface BalanceChannel {
  readonly channel: string;
  readonly max: number;
  /** In force: by command, else as configured. */
  readonly weight?: number;
  readonly enabled?: boolean;
  readonly state?: ChannelState;
  readonly active: number;
  readonly total: number;
  readonly failed: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  /** HTTP lane. */
  readonly requests?: number;
}

export interface BalanceGroup {
  readonly mode: "rr" | "hash";
  readonly channels: readonly BalanceChannel[];
}

/** A pool's limits and queue. */
export interface BalanceLimits {
  /** Places of `maxconn` in use. */
  readonly places?: number;
  /** Waiting for a place now. */
  readonly queued?: number;
  /** Refused because pool, channels, queue or client were at their limit. */
  readonly limited?: number;
  /** Refused because the wait was over. */
  readonly queue_timeouts?: number;
}

export interface BalancePool extends BalanceLimits {
  readonly pool: string;
  /** How a channel is chosen inside a group. */
  readonly lb?: string;
  /** Connections or requests that wait for a place. */
  readonly queued?: number;
  readonly groups: readonly BalanceGroup[];
  /** HTTP lane: answers by class of status, `2xx`; beside them other numbers of the pool. */
  readonly http?: Readonly<Record<string, number>>;
  /** Left the configuration, connections still open. */
  readonly draining?: readonly BalanceGroup[] | readonly BalanceChannel[];
}

/** A pool's channels added up. */
export interface BalanceLoad {
  readonly pool: string;
  readonly channels: number;
  readonly active: number;
  readonly requests_active: number;
  readonly total: number;
  readonly failed: number;
  readonly requests: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

/** A line of `follow`; which fields there are depends on the event. */
export interface BalanceEvent {
  readonly event: string;
  /** Seconds since 1970. */
  readonly time?: number;
  readonly [field: string]: unknown;
}

export interface BalanceHttp {
  /** Answers by status. */
  readonly codes: Readonly<Record<string, number>>;
  readonly duration: {
    /** Upper bound in seconds (null: none) and the answers in this bucket alone, in rising order. */
    readonly buckets: readonly (readonly [le: number | null, answers: number])[];
    /** Seconds. */
    readonly sum: number;
    readonly count: number;
  };
}

export interface BalanceReload {
  readonly generation: number;
  readonly hash: string;
}
