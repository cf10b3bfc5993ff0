// SPDX-License-Identifier: Apache-2.0
/** A cluster as it is now: each kind is listed once, nothing is watched and nothing is written. */
import { loadKubeConfig } from "../kube/config.ts";
import { HttpTransport } from "../kube/http-transport.ts";
import type { Transport } from "../kube/transport.ts";
import { EMPTY_STORE } from "../model/empty-store.ts";
import type { ModelSettings, Problem, Store } from "../model/types.ts";
import { Interner } from "../source/kube/interner.ts";
import { ObjectCache } from "../source/kube/object-cache.ts";
import { listNamedScopes, listScopes } from "../source/kube/scopes.ts";
import {
  formatScope,
  isOptional,
  pathOfScope,
  type Scope,
  selectorOfScope,
  WATCHED,
} from "../source/kube/watched-kinds.ts";
import { isObject } from "../store/shape.ts";
import { SettingsError } from "./flags.ts";
import { VERSION } from "./version.ts";

const PAGE = 500;
const TIMEOUT_MS = 60_000;

export interface ClusterContents {
  readonly store: Store;
  readonly problems: readonly Problem[];
}

export async function readCluster(
  kubeconfig: string | undefined,
  model: ModelSettings,
): Promise<ClusterContents> {
  let transport: HttpTransport;
  try {
    transport = new HttpTransport(loadKubeConfig(kubeconfig), `evener/${VERSION} lint`);
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  try {
    return await readAll(transport, model);
  } finally {
    transport.close();
  }
}

async function readAll(transport: Transport, model: ModelSettings): Promise<ClusterContents> {
  const caches: ObjectCache[] = [];
  const problems: Problem[] = [];
  const interner = new Interner();
  const settings = { model, secrets: "tls" } as const;
  const read = async (scope: Scope) => {
    const cache = new ObjectCache(scope.kind, interner, () => undefined);
    caches.push(cache);
    problems.push(...(await list(transport, scope, cache)));
  };
  for (const scope of listScopes(settings)) await read(scope);
  for (const scope of listNamedScopes(join(caches), settings)) await read(scope);
  for (const cache of caches) problems.push(...cache.problems());
  return { store: join(caches), problems };
}

function join(caches: readonly ObjectCache[]): Store {
  const maps = new Map<keyof Store, Map<string, object>>();
  for (const cache of caches) {
    const { map } = WATCHED[cache.kind];
    maps.set(map, new Map([...(maps.get(map) ?? []), ...cache.objects()]));
  }
  return { ...EMPTY_STORE, ...Object.fromEntries(maps) };
}

async function list(transport: Transport, scope: Scope, cache: ObjectCache): Promise<readonly Problem[]> {
  cache.beginList();
  let token: string | undefined;
  do {
    const { status, json } = await getPage(transport, scope, token);
    if (status !== 200) {
      cache.endList();
      return status === 404 && isOptional(scope) ? [] : [describeRefusal(scope, status, json)];
    }
    const items: readonly unknown[] = Array.isArray(json.items) ? json.items : [];
    for (const item of items) cache.listed(item);
    const next = isObject(json.metadata) ? json.metadata.continue : undefined;
    token = typeof next === "string" && next !== "" ? next : undefined;
  } while (token !== undefined);
  cache.endList();
  return [];
}

async function getPage(transport: Transport, scope: Scope, token: string | undefined) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  const selector = selectorOfScope(scope);
  if (selector !== undefined) query.set("fieldSelector", selector);
  if (token !== undefined) query.set("continue", token);
  const response = await transport.get({
    path: `${pathOfScope(scope)}?${query}`,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return { status: response.status, json: parse(text) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function describeRefusal(scope: Scope, status: number, json: Record<string, unknown>): Problem {
  const why = typeof json.message === "string" ? json.message.slice(0, 300) : "";
  return {
    ref: { apiVersion: "evener.io/v1alpha1", kind: "Evener", name: "lint" },
    severity: isOptional(scope) ? "warning" : "error",
    reason: "NotReadable",
    message: `${formatScope(scope)} can't be listed, and is as good as absent: HTTP ${status}${why === "" ? "" : `: ${why}`}`,
  };
}
