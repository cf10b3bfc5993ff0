// SPDX-License-Identifier: Apache-2.0
/** Two Ingresses share a pool by its name alone: it has to tell settings apart, and to be one that Balance takes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  type BackendSettings,
  DEFAULT_BACKEND_SETTINGS,
  mergeSettings,
  type SettingsLayer,
} from "../../src/model/backend-settings.ts";
import { nameSuffix } from "../../src/model/pool-names.ts";
import { safePoolName } from "../../src/render/safe.ts";
import { seededRandom } from "../golden/cases.ts";

/** Some values of each setting, extreme ones among them. */
const VALUES: { readonly [K in keyof Required<SettingsLayer>]: readonly SettingsLayer[K][] } = {
  strategy: ["round-robin", "least-connections", "power-of-two", "source-hash", "first"],
  slowStartSeconds: [0, 3600],
  connectSeconds: [1, 5, 3600],
  responseSeconds: [1, 60, 86_400],
  idleSeconds: [0, 604_800],
  maxConnections: [0, 1, 1_000_000],
  maxConnectionsPerEndpoint: [0, 1, 1_000_000],
  maxConnectionsPerClient: [0, 1, 1_000_000],
  queue: [0, 1, 1_000_000],
  queueSeconds: [1, 5, 3600],
  sendProxy: ["none", "v1", "v2", "v2-ssl"],
  ejection: [{}, { failures: 0 }, { failures: 1, baseSeconds: 86_400, maxSeconds: 86_400 }],
  check: [
    undefined,
    { kind: "tcp" },
    { kind: "http", path: "/" },
    { kind: "http", path: "/", host: "a.example" },
    { kind: "http", path: `/${"x".repeat(1000)}` },
  ],
  checkTiming: [{}, { rise: 1 }, { fall: 1 }, { intervalSeconds: 3600, timeoutSeconds: 3600 }],
  backups: [[], [{ service: "b", port: 80 }], [{ service: "b", port: "80" }], [{ service: "b", port: 8 }]],
  preferZone: [false, true],
  clusterIp: [false, true],
};

function pick(random: () => number): BackendSettings {
  const layer = Object.entries(VALUES).flatMap(([key, values]) =>
    random() < 0.3 ? [[key, values[Math.floor(random() * values.length)]] as const] : [],
  );
  return mergeSettings(Object.fromEntries(layer) as SettingsLayer);
}

const LONGEST = `${"n".repeat(63)}/${"s".repeat(63)}:65535`;

describe("a pool's name", () => {
  test("says nothing where nothing differs", () => {
    assert.equal(nameSuffix(DEFAULT_BACKEND_SETTINGS, { ...DEFAULT_BACKEND_SETTINGS }), "");
  });

  test("says each setting that differs", () => {
    for (const [key, values] of Object.entries(VALUES)) {
      const names = values.map((value) =>
        nameSuffix(mergeSettings({ [key]: value } as SettingsLayer), DEFAULT_BACKEND_SETTINGS),
      );
      assert.equal(new Set(names).size, values.length, `${key}: ${names.join("  ")}`);
    }
  });

  test("is the same for the same settings only", () => {
    const random = seededRandom(1);
    const seen = new Map<string, BackendSettings>();
    for (let round = 0; round < 5000; round++) {
      const settings = pick(random);
      const name = nameSuffix(settings, DEFAULT_BACKEND_SETTINGS);
      const other = seen.get(name);
      if (other !== undefined) assert.ok(isDeepStrictEqual(other, settings), name);
      seen.set(name, settings);
    }
    assert.ok(seen.size > 1000);
  });

  test("is one that may be rendered, however much it says", () => {
    const random = seededRandom(2);
    for (let round = 0; round < 5000; round++) {
      const name = `${LONGEST}${nameSuffix(pick(random), pick(random))}`;
      assert.equal(safePoolName(name), name);
      assert.ok(name.length <= 255, name);
    }
  });
});
