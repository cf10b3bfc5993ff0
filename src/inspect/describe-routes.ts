// SPDX-License-Identifier: Apache-2.0
/** Hosts and paths, the lane each is in, and where it goes. */
import { describeOptions, describePath } from "../lint/describe-rule.ts";
import { HITCH_POOL } from "../model/listeners.ts";
import { ANY_HOST } from "../model/names.ts";
import { compareText, keyOf } from "../model/refs.ts";
import type { Ir, ModelOutput } from "../model/types.ts";
import type { RouteView } from "./types.ts";

type Input = Pick<ModelOutput, "ir" | "statuses">;

/** Of tens of thousands of routes a page that refreshes itself would make this anew every few seconds. */
const known = new WeakMap<Input, readonly RouteView[]>();

export function describeRoutes(model: Input): readonly RouteView[] {
  const routes = known.get(model) ?? listRoutes(model);
  known.set(model, routes);
  return routes;
}

function listRoutes({ ir, statuses }: Input): readonly RouteView[] {
  const owners = new Map<string, string[]>();
  for (const { ref, hosts } of statuses) {
    for (const host of hosts) owners.set(host, [...(owners.get(host) ?? []), keyOf(ref)]);
  }
  const certificates = nameCertificates(ir);
  const common = (host: string) => ({ host, ingresses: owners.get(host) ?? [] });
  const routes = [
    ...describeRules(ir).map((rule) => ({
      ...common(rule.host),
      ...rule,
      certificate: certificates.get(rule.host) ?? "default",
    })),
    ...describeConnections(ir).map((route) => ({ ...common(route.host), ...route })),
  ];
  return routes.sort((a, b) => compareText(a.host, b.host));
}

type Bare = Omit<RouteView, "ingresses">;

function describeRules({ balance }: Ir): readonly Bare[] {
  return balance.tables.flatMap(({ rules, fallback }) => [
    ...rules.map((rule): Bare => {
      const pool = rule.pool === undefined ? {} : { pool: rule.pool };
      const { host, options } = rule;
      return { host, path: describePath(rule), lane: "http", how: describeOptions(options), ...pool };
    }),
    ...(fallback === undefined
      ? []
      : [
          {
            host: ANY_HOST,
            path: "/*",
            lane: "http",
            pool: fallback.pool,
            how: describeOptions(fallback.options),
          } as const,
        ]),
  ]);
}

/** The TCP lane, TLS passthrough and TCP ports. */
function describeConnections({ balance, hitch }: Ir): readonly Bare[] {
  const relayed = new Set(hitch.relayed);
  const listeners = new Map(balance.listeners.map((listener) => [listener.name, listener]));
  const certificates = nameCertificates({ hitch });
  const ours = balance.routes.flatMap((route): readonly Bare[] => {
    const { host, pool, port } = route;
    const listener = listeners.get(route.listener);
    // Hitch is where everything goes that is no TLS passthrough.
    if (listener === undefined || pool === HITCH_POOL) return [];
    const certificate = certificates.get(host) ?? "default";
    if (port !== undefined)
      return [{ host, path: "", lane: "port", pool, how: [`port ${port}, TLS`], certificate }];
    if (listener.sni === true) {
      const lane = relayed.has(host) ? "passthrough" : "tcp";
      return [{ host, path: "", lane, pool, how: ["the pod has the certificate"] }];
    }
    if (listener.table === undefined) {
      return [{ host, path: "", lane: "port", pool, how: [`port ${portOf(listener.address)}`] }];
    }
    return [{ host, path: "", lane: "tcp", pool, how: [], certificate }];
  });
  const theirs = (balance.upstream ?? []).map(
    ({ port, pool }): Bare => ({
      host: ANY_HOST,
      path: "",
      lane: "port",
      pool,
      how: [`port ${port}`, "by upstream Balance"],
    }),
  );
  return [...ours, ...theirs];
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

function nameCertificates({ hitch }: Pick<Ir, "hitch">): ReadonlyMap<string, string> {
  const byId = new Map(
    [...hitch.certificates, hitch.defaultCertificate].map(({ id, source }) => [
      id,
      source === undefined ? "default" : keyOf(source),
    ]),
  );
  return new Map(
    (hitch.served ?? []).map(({ host, certificate }) => [host, byId.get(certificate) ?? "default"]),
  );
}
