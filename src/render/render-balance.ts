// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { HttpSettings, HttpTable, Ir, Listener, Pool, Route } from "../model/types.ts";
import { renderPool } from "./render-pools.ts";
import { renderFallback, renderRules } from "./render-rules.ts";
import {
  safeAccessLog,
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
  /** N unix:PATH */
  readonly guests: string | undefined;
  readonly controlSocket: string;
  readonly graceSeconds: string;
  readonly trust: readonly string[];
  readonly http: string;
  readonly accessLog: string;
  readonly listeners: readonly { name: string; address: string; options: string }[];
  readonly routes: readonly RouteView[];
  /** What stands behind `pool`, `rule` and `default`. */
  readonly pools: readonly string[];
  readonly rules: readonly string[];
  readonly fallbacks: readonly string[];
}

interface RouteView {
  readonly listener: string;
  readonly host: string;
  readonly pool: string;
}

const template = loadTemplate<BalanceView>("balance.conf.hbs");
const HASH_PLACE = "-";

/** IR → balance.conf. Its first line is the SHA-256 of all the other lines. */
export function renderBalance({ balance }: Ir): string {
  const text = template({
    hash: HASH_PLACE,
    workers: safeInteger(balance.workers, 1, 64),
    guests:
      balance.guests && `${safeInteger(balance.guests.most, 1, 63)} unix:${safePath(balance.guests.socket)}`,
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
    pools: balance.pools.map((pool) => remember(pools, pool, renderPool)),
    routes: remember(routes, balance.routes, viewRoutes),
    rules: balance.tables.flatMap((table) => remember(rules, table, renderRules)),
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

function renderListenerOptions({ proxy, trustedOnly, table, sni }: Listener): string {
  return [
    `proxy=${safeProxy(proxy)}`,
    ...(trustedOnly ? ["trusted-only"] : []),
    ...(sni === true ? ["sni"] : []),
    ...(table === undefined ? [] : [`table=${safeTable(table)}`]),
  ].join(" ");
}

/** The model gives the same object for what did not change; what has been checked need not be checked again. */
const pools = new WeakMap<Pool, string>();
const routes = new WeakMap<readonly Route[], readonly RouteView[]>();
const rules = new WeakMap<HttpTable, readonly string[]>();

function remember<K extends object, V>(known: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make(key);
    known.set(key, value);
  }
  return value;
}

function viewRoutes(all: readonly Route[]): readonly RouteView[] {
  return all.map((route) => ({
    listener: safeListenerName(route.listener),
    host: `${safeHost(route.host)}${route.port === undefined ? "" : `:${safePort(route.port)}`}`,
    pool: safePoolName(route.pool),
  }));
}
