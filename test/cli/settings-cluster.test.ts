// SPDX-License-Identifier: Apache-2.0
/** Flags about a replica's place in a cluster. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { afterEach, describe, test } from "node:test";
import { Command } from "commander";
import { addRunOptions, type RunSettings, SettingsError, toRunSettings } from "../../src/cli/settings.ts";

function parse(...argv: string[]): RunSettings {
  const command = addRunOptions(new Command("run"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(argv, { from: "user" });
  return toRunSettings(command);
}

describe("settings of a replica", () => {
  const { POD_NAME, POD_NAMESPACE } = process.env;
  afterEach(() => {
    delete process.env.POD_NAME;
    delete process.env.POD_NAMESPACE;
    if (POD_NAME !== undefined) process.env.POD_NAME = POD_NAME;
    if (POD_NAMESPACE !== undefined) process.env.POD_NAMESPACE = POD_NAMESPACE;
  });

  test("the shutdown delay is for endpoints to be withdrawn, and a directory withdraws none", () => {
    assert.equal(parse().shutdownDelayMs, 5000);
    assert.equal(parse("--source", "dir:/srv").shutdownDelayMs, 0);
    assert.equal(parse("--source", "dir:/srv", "--shutdown-delay", "1500ms").shutdownDelayMs, 1500);
  });

  test("statuses are cleared at the end unless told otherwise", () => {
    assert.equal(parse().updateStatusOnShutdown, true);
    assert.equal(parse("--update-status-on-shutdown=false").updateStatusOnShutdown, false);
    assert.equal(parse("--update-status-on-shutdown").updateStatusOnShutdown, true);
  });

  test("a host belongs by path, or wholly to a namespace", () => {
    assert.equal(parse().model.hostOwnership, "path");
    assert.equal(parse("--host-ownership", "namespace").model.hostOwnership, "namespace");
    assert.throws(() => parse("--host-ownership", "cluster"));
  });

  test("the pod's name and namespace come from the downward API", () => {
    assert.deepEqual(parse().pod, { name: hostname() });
    Object.assign(process.env, { POD_NAME: "evener-abc", POD_NAMESPACE: "ingress" });
    assert.deepEqual(parse().pod, { name: "evener-abc", namespace: "ingress" });
    process.env.POD_NAMESPACE = "not a namespace";
    assert.throws(() => parse(), SettingsError);
  });
});
