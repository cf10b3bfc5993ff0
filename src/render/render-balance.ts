// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { HttpSettings, Ir, Listener, Pool } from "../model/types.ts";
import { renderFallback, renderRule } from "./render-rules.ts";
import {
  safeAccessLog,
  safeChannel,
  safeHost,
  safeInteger,
  safeListenerAddress,
  safeListenerName,
  safePath,
  safePoolName,
  safePort,
  safeProxy,
  safeRange,
  safeSeconds,
  safeTable,
} from "./safe.ts";
import { loadTemplate } from "./templates.ts";

/** Every value is a string that a check of safe.ts has let through. */
interface BalanceView {
  readonly hash: string;
  readonly workers: string;
  readonly controlSocket: string;
  readonly graceSeconds: string;
  readonly trust: readonly string[];
  readonly http: string;
  readonly accessLog: string;
  readonly listeners: readonly { name: string; address: string; options: string }[];
  readonly pools: readonly {
    name: string;
    connectTimeout: string;
    idleTimeout: string;
    responseTimeout: string;
    channels: readonly string[];
  }[];
  readonly routes: readonly { listener: string; host: string; pool: string }[];
  /** What stands behind `rule` and `default`. */
  readonly rules: readonly string[];
  readonly fallbacks: readonly string[];
}

const template = loadTemplate<BalanceView>("balance.conf.hbs");
const HASH_PLACE = "-";

/** IR → balance.conf. Its first line is the SHA-256 of all the other lines. */
export function renderBalance({ balance }: Ir): string {
  const text = template({
    hash: HASH_PLACE,
    workers: safeInteger(balance.workers, 1, 64),
    controlSocket: safePath(balance.controlSocket),
    graceSeconds: safeSeconds(balance.graceSeconds),
    trust: balance.trust.map(safeRange),
    http: renderHttp(balance.http),
    accessLog: safeAccessLog(balance.accessLog),
    listeners: balance.listeners.map((listener) => ({
      name: safeListenerName(listener.name),
      address: safeListenerAddress(listener.address),
      options: renderListenerOptions(listener),
    })),
    pools: balance.pools.map((pool) => ({
      name: safePoolName(pool.name),
      connectTimeout: safeSeconds(pool.times.connectSeconds),
      idleTimeout: safeSeconds(pool.idleTimeoutSeconds),
      responseTimeout: safeSeconds(pool.times.responseSeconds),
      channels: listChannels(pool),
    })),
    routes: balance.routes.map((route) => ({
      listener: safeListenerName(route.listener),
      host: safeHost(route.host),
      pool: safePoolName(route.pool),
    })),
    rules: balance.tables.flatMap(({ name, rules }) => rules.map((rule) => renderRule(name, rule))),
    fallbacks: balance.tables.flatMap((table) => renderFallback(table) ?? []),
  });
  const end = text.indexOf("\n");
  const rest = text.slice(end);
  const hash = createHash("sha256").update(rest.slice(1)).digest("hex");
  return `${text.slice(0, end - HASH_PLACE.length)}${hash}${rest}`;
}

function renderHttp(http: HttpSettings): string {
  return [
    `head-timeout=${safeSeconds(http.headTimeoutSeconds)}`,
    `idle-timeout=${safeSeconds(http.idleTimeoutSeconds)}`,
    `tunnel-timeout=${safeSeconds(http.tunnelTimeoutSeconds)}`,
    `http-port=${safePort(http.publicHttpPort)}`,
    `https-port=${safePort(http.publicHttpsPort)}`,
  ].join(" ");
}

function renderListenerOptions({ proxy, trustedOnly, table }: Listener): string {
  return [
    `proxy=${safeProxy(proxy)}`,
    ...(trustedOnly ? ["trusted-only"] : []),
    `table=${safeTable(table)}`,
  ].join(" ");
}

/** The groups of a pool as Balance arguments: `!` ends a group, what follows is tried after it. */
function listChannels({ groups }: Pool): readonly string[] {
  return groups.flatMap((group, i) => [...(i === 0 ? [] : ["!"]), ...group.map(safeChannel)]);
}
