// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_BACKEND_SETTINGS, mergeSettings } from "../../src/model/backend-settings.ts";

describe("who wins", () => {
  test("nobody has a say: the defaults themselves", () => {
    assert.equal(mergeSettings(), DEFAULT_BACKEND_SETTINGS);
    assert.equal(mergeSettings(undefined, {}, undefined), DEFAULT_BACKEND_SETTINGS);
  });

  test("the later layer, field by field", () => {
    const merged = mergeSettings(
      { strategy: "first", queue: 1, maxConnections: 10 },
      { strategy: "least-connections", connectSeconds: 9 },
      undefined,
      { strategy: "source-hash", queue: 0 },
    );
    assert.deepEqual(merged, {
      ...DEFAULT_BACKEND_SETTINGS,
      strategy: "source-hash",
      queue: 0,
      maxConnections: 10,
      connectSeconds: 9,
    });
    assert.ok(Object.isFrozen(merged));
  });

  test("members of a group one by one", () => {
    const merged = mergeSettings(
      { ejection: { failures: 0 }, checkTiming: { fall: 9 } },
      { ejection: { baseSeconds: 7 } },
    );
    assert.deepEqual(merged.ejection, { failures: 0, baseSeconds: 7, maxSeconds: 60 });
    assert.deepEqual(merged.checkTiming, { intervalSeconds: 5, timeoutSeconds: 2, rise: 2, fall: 9 });
  });

  test("a check can be switched off", () => {
    assert.equal(mergeSettings({ check: { kind: "tcp" } }, { check: undefined }).check, undefined);
    assert.deepEqual(mergeSettings({ check: { kind: "tcp" } }, {}).check, { kind: "tcp" });
  });
});
