// SPDX-License-Identifier: Apache-2.0
/** The controller: how long a rebuild of the model takes, and how that grows. */
import { PLACEHOLDER_CERTIFICATE } from "../../src/cli/render.ts";
import { createModelBuilder } from "../../src/model/build-model.ts";
import { renderConfigs } from "../../src/render/render-configs.ts";
import { manyIngresses } from "../../test/helpers/many-ingresses.ts";
import { NOW, SETTINGS } from "../../test/helpers/settings.ts";
import { median } from "../lib/figures.ts";

const CHANGES = 9;

export interface ModelFigures {
  /** Milliseconds: the first rebuild, and the median one after a single endpoint has changed; both with rendering. */
  readonly first: number;
  readonly change: number;
}

export function measureModel(ingresses: number): ModelFigures {
  const build = createModelBuilder();
  let store = manyIngresses(ingresses, []);
  const time = () => {
    const begin = performance.now();
    const { ir } = build({
      store,
      settings: SETTINGS,
      fallbackCertificate: PLACEHOLDER_CERTIFICATE,
      now: NOW,
    });
    renderConfigs(ir);
    if (ir.balance.pools.length < ingresses)
      throw new Error(`${ir.balance.pools.length} pools of ${ingresses}`);
    return performance.now() - begin;
  };
  const first = time();
  const changes: number[] = [];
  for (const [key, slice] of [...store.endpointSlices].slice(0, CHANGES)) {
    const endpoints = [{ addresses: ["10.200.0.1"], conditions: { ready: true } }];
    store = { ...store, endpointSlices: new Map(store.endpointSlices).set(key, { ...slice, endpoints }) };
    changes.push(time());
  }
  return { first, change: median(changes) };
}
