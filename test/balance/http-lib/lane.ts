// SPDX-License-Identifier: Apache-2.0
// One plain listener with a table, and pods behind it.
import type { TestContext } from "node:test";
import { type RequestBackend, type Respond, startBackend, text } from "./backend.ts";
import { type BalanceOptions, freePort, type HttpBalance, startBalance } from "./balance.ts";
import { type Answer, fetchRaw, get } from "./raw-client.ts";

export interface Lane {
  port: number;
  balance: HttpBalance;
  /** The configuration with the listener in front. */
  conf(lines: string): string;
  get(path: string, host?: string, extra?: string, method?: string): Promise<Answer>;
}

/** `lines` follow the listener, whose table is `main`. */
export async function startLane(
  t: TestContext,
  lines: string,
  options: BalanceOptions & { listener?: string } = {},
): Promise<Lane> {
  const port = await freePort();
  const conf = (rest: string) =>
    `listen web tcp:127.0.0.1:${port} table=main ${options.listener ?? ""}\n${rest}`;
  const balance = await startBalance(t, conf(lines), options);
  return {
    port,
    balance,
    conf,
    get: (path, host, extra, method) => fetchRaw(port, get(path, host, extra, method), method),
  };
}

export interface SingleOptions extends BalanceOptions {
  /** Options of the one rule. */
  rule?: string;
  /** Lines before the pool. */
  before?: string;
  /** Options of the listener. */
  listener?: string;
}

/** One pod that serves everything. */
export async function startSingle(
  t: TestContext,
  respond: Respond = () => text("ok"),
  options: string | SingleOptions = "",
): Promise<Lane & { pod: RequestBackend }> {
  const o = typeof options === "string" ? { rule: options } : options;
  const pod = await startBackend(t, respond);
  const lane = await startLane(
    t,
    `${o.before ?? ""}\npool p -r 5 ${pod.channel}\ndefault main p ${o.rule ?? ""}\n`,
    o,
  );
  return { ...lane, pod };
}

/** A pool per name, whose pod answers with that name and what it was asked. */
export async function startNamed(t: TestContext, names: string[]): Promise<string> {
  const pools = await Promise.all(
    names.map(async (name) => {
      const pod = await startBackend(t, (r) => text(name, `X-Line: ${r.line}\r\n`));
      return `pool ${name} ${pod.channel}\n`;
    }),
  );
  return pools.join("");
}
