// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StoredCondition } from "../../src/crd/resource.ts";
import type { PolicyStatus } from "../../src/model/policy-status.ts";
import { ConditionWriter } from "../../src/status/condition-writer.ts";
import { collectLog } from "../fixtures/collect-log.ts";
import { FakeApi } from "../fixtures/fake-api.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const PATH = "/apis/evener.io/v1alpha1/namespaces/shop/clientcertificatepolicies/it";

function makeStatus(status: "True" | "False", generation = 1, uid = "uid-1"): PolicyStatus {
  const ref = {
    apiVersion: "evener.io/v1alpha1",
    kind: "ClientCertificatePolicy",
    namespace: "shop",
    name: "it",
    uid,
  };
  const reason = status === "True" ? "Programmed" : "CaNotFound";
  return { ref, generation, conditions: [{ type: "Programmed", status, reason, message: "why" }] };
}

function open() {
  const api = new FakeApi();
  const clock = new FakeClock();
  const { log } = collectLog();
  const world = { allowed: true, time: "2026-01-01T00:00:00Z" };
  const writer = new ConditionWriter({
    api,
    clock,
    wallTime: () => new Date(world.time),
    random: () => 0,
    log,
    allowed: () => world.allowed,
  });
  api.put(PATH, { metadata: { name: "it", namespace: "shop", uid: "uid-1" } });
  const stored = () => {
    const { status } = (api.objects.get(PATH) ?? {}) as { status?: { conditions?: StoredCondition[] } };
    return status?.conditions ?? [];
  };
  return { api, clock, world, writer, stored };
}

describe("conditions", () => {
  test("are applied to the status, with generation and time, once", async () => {
    const { api, clock, writer, stored } = open();
    writer.update([makeStatus("True")], () => []);
    await clock.advance(1000);
    // The cache does not know yet.
    writer.update([makeStatus("True")], () => []);
    await clock.advance(60_000);
    writer.update([makeStatus("True")], stored);
    await clock.advance(60_000);
    assert.deepEqual(api.list(), [`PATCH ${PATH}/status`]);
    assert.equal(api.requests[0]?.contentType, "application/apply-patch+yaml");
    assert.deepEqual(stored(), [
      {
        type: "Programmed",
        status: "True",
        reason: "Programmed",
        message: "why",
        observedGeneration: 1,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ]);
  });

  test("keep their time until the status itself changes", async () => {
    const { clock, world, writer, stored } = open();
    writer.update([makeStatus("True")], stored);
    await clock.advance(1000);
    world.time = "2026-02-02T00:00:00Z";
    writer.update([makeStatus("True", 2)], stored);
    await clock.advance(1000);
    assert.deepEqual(
      stored().map(({ observedGeneration, lastTransitionTime }) => [observedGeneration, lastTransitionTime]),
      [[2, "2026-01-01T00:00:00Z"]],
    );
    writer.update([makeStatus("False", 2)], stored);
    await clock.advance(1000);
    assert.equal(stored()[0]?.lastTransitionTime, "2026-02-02T00:00:00Z");
  });

  test("are the leader's to write", async () => {
    const { api, clock, world, writer, stored } = open();
    world.allowed = false;
    writer.update([makeStatus("True")], stored);
    await clock.advance(60_000);
    assert.deepEqual(api.list(), []);
    world.allowed = true;
    writer.wake();
    await clock.advance(1000);
    assert.equal(api.list().length, 1);
  });

  test("are not written onto another object of the same name", async () => {
    const { api, clock, writer, stored } = open();
    writer.update([makeStatus("True", 1, "uid-0")], () => []);
    await clock.advance(120_000);
    assert.equal(api.list().length, 1, "it is not tried again");
    assert.deepEqual(stored(), []);
  });

  test("wait while the API server is away", async () => {
    const { api, clock, writer, stored } = open();
    api.fault = () => ({ status: 503, body: undefined });
    writer.update([makeStatus("True")], stored);
    await clock.advance(3000);
    api.fault = () => undefined;
    await clock.advance(120_000);
    assert.equal(stored().length, 1);
  });
});
