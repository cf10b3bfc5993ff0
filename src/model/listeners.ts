// SPDX-License-Identifier: Apache-2.0
/**
 * Who listens where. As long as nothing needs to look at connections before TLS, Hitch has the TLS ports. TLS passthrough, and load
 * balancers that speak PROXY on a TLS port, need that: then Balance has the TLS ports ("front"), and hands to Hitch, on a
 * loopback port, what is not for a pod as it is.
 */
import { DEFAULT_BACKEND_SETTINGS } from "./backend-settings.ts";
import { ANY_HOST } from "./names.ts";
import { compareText } from "./refs.ts";
import type { TcpRoutes } from "./tcp-routes.ts";
import type { TcpPort } from "./tcp-services.ts";
import type { Ir, Listener, ModelSettings, Pool, Route } from "./types.ts";

/** The listener of a port that leads to one Service port as it is. */
export function nameTcpListener(port: number): string {
  return `tcp-${port}`;
}

const HTTP = "http";
/** What Hitch has decrypted. */
const HTTPS = "https";
export const HITCH_POOL = "hitch";
export const DEFAULT_INTERNAL_TLS_PORT = 8442;

export interface Listening {
  readonly listeners: readonly Listener[];
  readonly routes: readonly Route[];
  readonly frontends: Ir["hitch"]["frontends"];
  readonly front: boolean;
  /** Hosts whose handshakes don't reach Hitch. */
  readonly relayed: readonly string[];
  /** Pools beside those of Service ports. */
  readonly pools: readonly Pool[];
}

export function planListeners(
  settings: ModelSettings,
  table: string,
  tcp: TcpRoutes,
  passthrough: TcpRoutes,
  ports: readonly TcpPort[],
): Listening {
  const front = settings.useProxyProtocol || passthrough.winners.size > 0;
  const proxied = {
    proxy: settings.useProxyProtocol ? "any" : "none",
    trustedOnly: settings.useProxyProtocol,
  } as const;
  const webPorts = [settings.httpsPort, ...(settings.tls?.extraTlsPorts ?? [])];
  const tlsPorts = [...webPorts, ...ports.filter(({ tls }) => tls).map(({ port }) => port)];
  const plain = ports.filter(({ tls }) => !tls);
  const fronts = front ? tlsPorts : [];
  const nameFront = (port: number) => `front-${port}`;
  const anywhere = (port: number) => `tcp:[::]:${port}`;
  return {
    listeners: [
      { name: HTTP, address: anywhere(settings.httpPort), ...proxied, table },
      {
        name: HTTPS,
        address: `unix:${settings.runDir}/balance.sock`,
        proxy: "v2",
        trustedOnly: false,
        table,
      },
      ...fronts.map((port) => ({ name: nameFront(port), address: anywhere(port), ...proxied, sni: true })),
      ...plain.map(({ port }) => ({ name: nameTcpListener(port), address: anywhere(port), ...proxied })),
    ],
    routes: [
      ...listRoutes(HTTPS, tcp),
      ...ports
        .filter(({ tls }) => tls)
        .flatMap(({ port, routes }) =>
          [...routes]
            .sort(([a], [b]) => compareText(a, b))
            .map(([host, { pool }]) => ({ listener: HTTPS, host, port, pool })),
        ),
      ...fronts.flatMap((port) => [
        ...(webPorts.includes(port) ? listRoutes(nameFront(port), passthrough) : []),
        { listener: nameFront(port), host: ANY_HOST, pool: HITCH_POOL },
      ]),
      ...plain.flatMap(({ port, routes }) =>
        [...routes.values()].map(({ pool }) => ({ listener: nameTcpListener(port), host: ANY_HOST, pool })),
      ),
    ],
    frontends: front
      ? [{ host: "127.0.0.1", port: settings.internalTlsPort ?? DEFAULT_INTERNAL_TLS_PORT }]
      : tlsPorts.map((port) => ({ host: "*", port })),
    front,
    relayed: front ? [...passthrough.winners.keys()].sort(compareText) : [],
    pools: front ? [makeHitchPool(settings.internalTlsPort ?? DEFAULT_INTERNAL_TLS_PORT)] : [],
  };
}

function listRoutes(listener: string, { winners }: TcpRoutes): readonly Route[] {
  return [...winners]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([host, { pool }]) => (pool === undefined ? [] : [{ listener, host, pool }]));
}

/** It may take until the next reload of Hitch that it listens there. */
const RETRY_SECONDS = 10;

function makeHitchPool(port: number): Pool {
  return {
    name: HITCH_POOL,
    settings: Object.freeze({
      ...DEFAULT_BACKEND_SETTINGS,
      idleSeconds: 0,
      sendProxy: "v2-ssl",
      ejection: { failures: 0, baseSeconds: 0, maxSeconds: 0 },
    }),
    groups: [[{ address: "127.0.0.1", port, max: 0 }]],
    retrySeconds: RETRY_SECONDS,
  };
}
