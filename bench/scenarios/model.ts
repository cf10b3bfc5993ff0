// SPDX-License-Identifier: Apache-2.0
/**
 * The controller: how long a rebuild of the model takes, how that grows, and what memory it needs. One size to a process, so that
 * nothing is warm from a smaller one: `node bench/scenarios/model.ts INGRESSES` prints its figures as JSON.
 */
import { execFileSync } from "node:child_process";
import type { V1Ingress } from "@kubernetes/client-node";
import { PLACEHOLDER_CERTIFICATE } from "../../src/cli/render.ts";
import { createModelBuilder } from "../../src/model/build-model.ts";
import { readTlsSecret } from "../../src/model/secrets.ts";
import type { Store } from "../../src/model/types.ts";
import { renderConfigs } from "../../src/render/render-configs.ts";
import { manyIngresses } from "../../test/helpers/many-ingresses.ts";
import { SETTINGS } from "../../test/helpers/settings.ts";
import { median, spread } from "../lib/figures.ts";
import { createPemMaker } from "../peers/certificates.ts";

const CHANGES = 9;

/** Milliseconds, and MB. */
interface ModelFigures {
  /** All TLS Secrets read, each once: what a start pays, and no rebuild after it. */
  readonly secrets: number;
  /** Rebuilds with rendering: the first, and the median ones after one Ingress, and one endpoint, has changed. */
  readonly first: number;
  readonly ingress: number;
  readonly endpoint: number;
  /** Of the whole process, the objects included. */
  readonly heap: number;
  readonly rss: number;
}

async function makeStore(ingresses: number): Promise<Store> {
  const maker = await createPemMaker();
  const made = [];
  for (let i = 0; i < ingresses; i++) {
    const { cert: crt, key } = await maker.make(`h${i}.example`);
    made.push({ crt, key });
  }
  return manyIngresses(ingresses, made);
}

/** `map` with what `change` makes of its nth object, as a source gives it: the other objects stay the same. */
function changeOne<T>(map: ReadonlyMap<string, T>, n: number, change: (object: T) => T): Map<string, T> {
  const [key, object] = [...map][n] ?? [];
  if (key === undefined || object === undefined) throw new Error(`there is no object ${n}`);
  return new Map(map).set(key, change(object));
}

async function measureOne(ingresses: number): Promise<ModelFigures> {
  let store = await makeStore(ingresses);
  const now = new Date();
  const build = createModelBuilder();
  let texts: unknown;
  const time = (work: () => void) => {
    const begin = performance.now();
    work();
    return performance.now() - begin;
  };
  const rebuild = () =>
    time(() => {
      const input = { store, settings: SETTINGS, fallbackCertificate: PLACEHOLDER_CERTIFICATE, now };
      const { ir } = build(input);
      texts = renderConfigs(ir);
      const { balance, hitch } = ir;
      if (balance.pools.length < ingresses || hitch.certificates.length < ingresses)
        throw new Error(`${balance.pools.length} pools, ${hitch.certificates.length} certificates`);
    });
  const picks = Array.from({ length: CHANGES }, (_, i) => Math.floor((i * ingresses) / CHANGES));
  const secrets = time(() => {
    for (const secret of store.secrets.values()) readTlsSecret(secret);
  });
  const first = rebuild();
  const endpoint = picks.map((n, i) => {
    const endpoints = [{ addresses: [`10.200.0.${i + 1}`], conditions: { ready: true } }];
    const endpointSlices = changeOne(store.endpointSlices, n, (slice) => ({ ...slice, endpoints }));
    store = { ...store, endpointSlices };
    return rebuild();
  });
  const ingress = picks.map((n, i) => {
    const annotations = { "evener.io/proxy-body-size": `${i + 1}m` };
    const change = (one: V1Ingress) => ({ ...one, metadata: { ...one.metadata, annotations } });
    store = { ...store, ingresses: changeOne(store.ingresses, n, change) };
    return rebuild();
  });
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  if (texts === undefined) throw new Error("nothing was rendered");
  return {
    secrets,
    first,
    ingress: median(ingress),
    endpoint: median(endpoint),
    heap: heapUsed / 1e6,
    rss: rss / 1e6,
  };
}

/** `rounds` processes for each size, one size after the other in each round. */
export function measureModel(sizes: readonly number[], rounds: number): ReadonlyMap<number, ModelFigures[]> {
  const found = new Map<number, ModelFigures[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [size, list] of found) {
      const args = ["--expose-gc", "--max-semi-space-size=4", import.meta.filename, String(size)];
      const text = execFileSync(process.execPath, args, { encoding: "utf8" });
      list.push(JSON.parse(text) as ModelFigures);
    }
  }
  return found;
}

const COLUMNS: readonly (readonly [keyof ModelFigures, string, number])[] = [
  ["first", "first rebuild, ms (spread)", 0],
  ["ingress", "after one Ingress changed, ms", 0],
  ["endpoint", "after one endpoint changed, ms", 1],
  ["secrets", "TLS Secrets read, once, ms", 0],
  ["heap", "heap, MB", 0],
  ["rss", "RSS, MB", 0],
];

export function describeModel(figures: ReadonlyMap<number, readonly ModelFigures[]>): string {
  const lines = [...figures].map(([size, list]) => {
    const cells = COLUMNS.map(([key, , digits]) => {
      const values = list.map((one) => one[key]);
      const text = median(values).toFixed(digits);
      return key === "first" ? `${text} (${spread(values, digits)})` : text;
    });
    const each = (median(list.map(({ first }) => first)) * 1000) / size;
    return [size, ...cells, each.toFixed(0)];
  });
  const head = ["Ingresses", ...COLUMNS.map(([, label]) => label), "first rebuild, µs per Ingress"];
  const table = [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`);
  return `### Rebuild of the model, with rendering\n\n${table.join("\n")}\n`;
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(JSON.stringify(await measureOne(Number(process.argv[2]))));
}
