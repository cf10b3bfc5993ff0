// SPDX-License-Identifier: Apache-2.0
// Balance with an HTTP lane, for one test.
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, Balance, endWith, memory, type Pool } from "../lib/balance.ts";
import { freePort as anyPort } from "../lib/net.ts";

const built = (file: string) => existsSync(fileURLToPath(new URL(`../../../dist/${file}`, import.meta.url)));

/** For the `skip` option of a suite. */
export function skipWithoutBalance(): string | false {
  return built("bin/balance") || built("test/balance")
    ? false
    : "needs dist/bin/balance or dist/test/balance: make dataplane balance-test-build";
}

/** The same for tests that need the program as shipped, without sanitizers. */
export function skipWithoutShipped(): string | false {
  return built("bin/balance") ? false : "needs dist/bin/balance: make dataplane";
}

const taken = new Set<number>();

/** Nobody listens there now, and no other test of this process gets it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await anyPort();
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

/** Counters of a pool's answers by class, "2xx" and so on. */
export type HttpPool = Pool & { http?: Record<string, number> };

export class HttpBalance extends Balance {
  workerCount = 1;

  /** Workers are added, a short grace and the directory for @DIR@. */
  override write(conf: string): void {
    super.write(`workers ${this.workerCount}\ngrace 1\n${conf.replaceAll("@DIR@", this.dir)}`);
  }

  /** Answers by status code. */
  async codes(): Promise<Record<string, number>> {
    return (await ask(this.control, "http"))[0]?.codes as Record<string, number>;
  }

  async httpPool(name: string): Promise<HttpPool> {
    const pool = ((await this.pools()) as HttpPool[]).find((p) => p.pool === name && p.groups !== undefined);
    if (pool === undefined) throw new Error(`no pool ${name}`);
    return pool;
  }

  /** Replaces the configuration; rejects when it is refused. */
  async load(conf: string): Promise<void> {
    const answer = await this.reload(conf);
    if (answer.ok !== true) throw new Error(String(answer.error));
  }

  /** Resident memory of the workers together, in bytes. */
  async resident(): Promise<number> {
    return (await this.workers()).reduce((sum, pid) => sum + memory(pid), 0);
  }
}

export interface BalanceOptions {
  shipped?: boolean;
  workers?: number;
}

export async function startBalance(
  t: TestContext,
  conf: string,
  options: BalanceOptions = {},
): Promise<HttpBalance> {
  const balance = new HttpBalance([], options.shipped ?? false);
  balance.workerCount = options.workers ?? 1;
  balance.write(conf);
  endWith(t, balance);
  balance.spawn();
  await balance.started();
  return balance;
}
