// SPDX-License-Identifier: Apache-2.0
/** Brings Balance's counters into the metrics; done when somebody asks for them. */
import type { BalanceClient } from "../balance-client/client.ts";
import type { BalanceChannel, BalanceHttp, BalancePool, BalanceStatus } from "../balance-client/types.ts";
import { Deltas } from "./deltas.ts";
import type { Metrics } from "./metrics.ts";

export class BalanceCollector {
  readonly #metrics: Metrics;
  readonly #client: BalanceClient;
  readonly #deltas = new Deltas();
  /** Endpoints whose newest connections failed, by their labels. */
  #down = new Map<string, boolean>();
  #running: Promise<void> | undefined;

  constructor(metrics: Metrics, client: BalanceClient) {
    this.#metrics = metrics;
    this.#client = client;
  }

  /** Rejects when Balance does not answer; the counters then stay as they were. */
  async collect(): Promise<void> {
    // Two scrapes at a time would count the growth twice.
    this.#running ??= this.#collectOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #collectOnce(): Promise<void> {
    const status = await this.#client.status();
    const pools = await this.#client.pools();
    const http = await this.#client.http();
    this.#recordListeners(status);
    this.#metrics.endpointUp.reset();
    this.#metrics.poolQueued.reset();
    const down = new Map<string, boolean>();
    for (const pool of pools) {
      this.#recordPool(pool, down);
      // What is left of a pool that is gone has a line without groups.
      if (pool.queued !== undefined) this.#recordLimits(pool);
    }
    this.#down = down;
    this.#recordHttp(http);
    this.#deltas.finish();
  }

  #recordListeners(status: BalanceStatus): void {
    const { connectionsActive, connections, connectionsRefused } = this.#metrics;
    connectionsActive.reset();
    for (const one of status.listeners) {
      const listener = one.name;
      connectionsActive.set({ listener }, one.active);
      connections.inc({ listener }, this.#deltas.grow(`${listener} accepted`, one.accepted));
      for (const reason of ["proxy_errors", "no_route", "no_channel"] as const) {
        connectionsRefused.inc({ listener, reason }, this.#deltas.grow(`${listener} ${reason}`, one[reason]));
      }
    }
  }

  #recordPool(pool: BalancePool, down: Map<string, boolean>): void {
    const { bytes, connectFailures, endpointRequests, endpointUp, poolResponses } = this.#metrics;
    for (const { part, channel, live } of listChannels(pool)) {
      const key = `${pool.pool} ${part} ${channel.channel}`;
      bytes.inc({ direction: "in" }, this.#deltas.grow(`${key} in`, channel.bytes_in));
      bytes.inc({ direction: "out" }, this.#deltas.grow(`${key} out`, channel.bytes_out));
      const failed = this.#deltas.grow(`${key} failed`, channel.failed);
      const labels = { pool: pool.pool, endpoint: channel.channel };
      connectFailures.inc(labels, failed);
      const requests = this.#deltas.grow(`${key} requests`, channel.requests ?? 0);
      endpointRequests.inc(labels, requests);
      // Only connections that came about count into `total`.
      const connected = this.#deltas.grow(`${key} total`, channel.total);
      if (!live) continue;
      const isIdle = failed === 0 && connected === 0;
      const isDown = isIdle ? (this.#down.get(key) ?? false) : connected === 0;
      down.set(key, isDown);
      endpointUp.set(labels, isDown ? 0 : 1);
    }
    for (const [status, answers] of Object.entries(pool.http ?? {})) {
      if (!/^[1-5]xx$/.test(status)) continue;
      const grown = this.#deltas.grow(`${pool.pool} answers ${status}`, answers);
      poolResponses.inc({ pool: pool.pool, class: status }, grown);
    }
  }

  #recordLimits({ pool, queued = 0, limited = 0, queue_timeouts = 0 }: BalancePool): void {
    this.#metrics.poolQueued.set({ pool }, queued);
    for (const [reason, refused] of [
      ["limit", limited],
      ["timeout", queue_timeouts],
    ] as const) {
      this.#metrics.poolRefused.inc(
        { pool, reason },
        this.#deltas.grow(`${pool} refused ${reason}`, refused),
      );
    }
  }

  #recordHttp({ codes, duration }: BalanceHttp): void {
    const { httpRequests, httpRequestDuration } = this.#metrics;
    for (const [code, answers] of Object.entries(codes)) {
      httpRequests.inc({ code }, this.#deltas.grow(`http ${code}`, answers));
    }
    httpRequestDuration.grow({
      buckets: duration.buckets.map(([bound, answers]) => {
        const le = bound === null ? "+Inf" : String(bound);
        return [le, this.#deltas.grow(`http le ${le}`, answers)];
      }),
      sum: this.#deltas.grow("http seconds", duration.sum),
      count: this.#deltas.grow("http answers", duration.count),
    });
  }
}

/** A channel that starts to drain is still the same one, so its counters go on under the same key. */
function listChannels(pool: BalancePool): { part: string; channel: BalanceChannel; live: boolean }[] {
  const live = pool.groups.flatMap((group) => group.channels);
  const draining = (pool.draining ?? []).flatMap((entry) => ("channels" in entry ? entry.channels : [entry]));
  const seen = new Map<string, number>();
  return [...live, ...draining].map((channel, i) => {
    const nth = seen.get(channel.channel) ?? 0;
    seen.set(channel.channel, nth + 1);
    return { part: String(nth), channel, live: i < live.length };
  });
}
