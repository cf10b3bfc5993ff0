// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { Ir, Pool } from "../model/types.ts";
import {
  safeChannel,
  safeHost,
  safeInteger,
  safeListenerAddress,
  safeListenerName,
  safePath,
  safePoolName,
  safeProxy,
  safeSeconds,
} from "./safe.ts";
import { loadTemplate } from "./templates.ts";

/** Every value is a string that a check of safe.ts has let through. */
interface BalanceView {
  readonly hash: string;
  readonly workers: string;
  readonly controlSocket: string;
  readonly graceSeconds: string;
  readonly listeners: readonly { name: string; address: string; proxy: string }[];
  readonly pools: readonly {
    name: string;
    connectTimeout: string;
    idleTimeout: string;
    channels: readonly string[];
  }[];
  readonly routes: readonly { listener: string; host: string; pool: string }[];
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
    listeners: balance.listeners.map((listener) => ({
      name: safeListenerName(listener.name),
      address: safeListenerAddress(listener.address),
      proxy: safeProxy(listener.proxy),
    })),
    pools: balance.pools.map((pool) => ({
      name: safePoolName(pool.name),
      connectTimeout: safeSeconds(pool.connectTimeoutSeconds),
      idleTimeout: safeSeconds(pool.idleTimeoutSeconds),
      channels: listChannels(pool),
    })),
    routes: balance.routes.map((route) => ({
      listener: safeListenerName(route.listener),
      host: safeHost(route.host),
      pool: safePoolName(route.pool),
    })),
  });
  const end = text.indexOf("\n");
  const rest = text.slice(end);
  const hash = createHash("sha256").update(rest.slice(1)).digest("hex");
  return `${text.slice(0, end - HASH_PLACE.length)}${hash}${rest}`;
}

/** The groups of a pool as Balance arguments: `!` ends a group, what follows is tried after it. */
function listChannels({ groups }: Pool): readonly string[] {
  return groups.flatMap((group, i) => [...(i === 0 ? [] : ["!"]), ...group.map(safeChannel)]);
}
