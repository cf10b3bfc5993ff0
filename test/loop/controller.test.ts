// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Applier, ApplyOutcome } from "../../src/apply/applier.ts";
import { ApplyError } from "../../src/apply/errors.ts";
import type { Desired } from "../../src/apply/plan.ts";
import { Controller } from "../../src/loop/controller.ts";
import type { Certificate, Ir, ModelOutput, ModelSettings, Problem } from "../../src/model/types.ts";
import { createLogger } from "../../src/report/log.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import type { Source } from "../../src/source/source.ts";
import { assembleStore } from "../../src/store/assemble-store.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const certificate = (id: string, hosts: string[]): Certificate => ({
  id,
  pem: `KEY ${id}`,
  hosts,
  notAfter: "2030-01-01T00:00:00Z",
});

function makeModel(problems: readonly Problem[]): ModelOutput {
  const hitch = {
    httpsPort: 8443,
    workers: 1,
    backendSocket: "/run/balance.sock",
    certDir: "/run/certs",
    certificates: [certificate("aa", ["a.example"]), certificate("bb", [])],
    defaultCertificate: certificate("dd", []),
  };
  const balance = { workers: 1 };
  return { ir: { hitch, balance } as unknown as Ir, statuses: [], policies: [], problems };
}

const problem: Problem = {
  ref: { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "tls" },
  severity: "error",
  reason: "KeyMismatch",
  message: "does not fit its certificate",
};

function open() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const world = {
    synced: true,
    problems: [] as Problem[],
    outcome: { reloads: [], failures: [] } as ApplyOutcome,
    applied: [] as Desired[],
    bug: undefined as Error | undefined,
  };
  const metrics = createMetrics("1");
  const source = {
    get synced() {
      return world.synced;
    },
    snapshot: () => ({ store: assembleStore([]).store, problems: [] }),
  };
  const applier = {
    apply: async (desired: Desired) => {
      world.applied.push(desired);
      return world.outcome;
    },
  };
  const controller = new Controller({
    source: source as unknown as Source,
    build: () => {
      if (world.bug !== undefined) throw world.bug;
      return makeModel(world.problems);
    },
    render: () => ({ hitchConf: "hitch", balanceConf: "hash 12ab\n" }),
    applier: applier as unknown as Applier,
    settings: {} as ModelSettings,
    fallbackCertificate: certificate("dd", []),
    clock: new FakeClock(),
    log: createLogger({ level: "info", format: "json", destination }),
    metrics,
  });
  const messages = () => lines.splice(0).map((line) => String(line.msg));
  const sample = async (name: string) => {
    const text = await metrics.registry.metrics();
    return text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1);
  };
  return { world, controller, messages, sample };
}

describe("a sync", () => {
  test("applies nothing before the source has synced", async () => {
    const { world, controller } = open();
    world.synced = false;
    assert.deepEqual(await controller.sync(), { ok: true });
    assert.deepEqual(world.applied, []);
    assert.equal(controller.latest, undefined);
  });

  test("hands over files and what is to be seen on the wire", async () => {
    const { world, controller, sample } = open();
    assert.deepEqual(await controller.sync(), { ok: true });
    const [desired] = world.applied;
    assert.equal(desired?.balanceHash, "12ab");
    assert.deepEqual(
      [...(desired?.certificates ?? [])],
      [
        ["/run/certs/aa.pem", "KEY aa"],
        ["/run/certs/bb.pem", "KEY bb"],
        ["/run/certs/dd.pem", "KEY dd"],
      ],
    );
    // One that is served for no name can't be seen; the default one is seen under any other name.
    assert.deepEqual(
      desired?.served.map(({ path, host }) => [path, host]),
      [
        ["/run/certs/aa.pem", "a.example"],
        ["/run/certs/dd.pem", undefined],
      ],
    );
    assert.equal(await sample("evener_config_last_reload_successful"), "1");
    assert.equal(await sample("evener_sync_duration_seconds_count"), "1");
  });

  test("tells a problem once when it comes and once when it goes", async () => {
    const { world, controller, messages, sample } = open();
    world.problems = [problem];
    await controller.sync();
    await controller.sync();
    assert.deepEqual(messages(), ["problem: does not fit its certificate"]);
    assert.equal(await sample('evener_problems{kind="Secret",reason="KeyMismatch"}'), "1");
    world.problems = [];
    await controller.sync();
    assert.deepEqual(messages(), ["problem solved: does not fit its certificate"]);
    assert.equal(await sample('evener_problems{kind="Secret",reason="KeyMismatch"}'), undefined);
  });

  test("a refusal is a failed sync, a metric, a problem and a log line", async () => {
    const { world, controller, messages, sample } = open();
    const error = new ApplyError("REFUSED", "line 3: no such file");
    world.outcome = {
      reloads: [{ child: "hitch", reason: "certificates", result: "refused", message: error.message }],
      failures: [{ step: "hitch", error }],
    };
    assert.deepEqual(await controller.sync(), { ok: false });
    assert.equal(await sample("evener_config_last_reload_successful"), "0");
    assert.equal(
      await sample('evener_reloads_total{child="hitch",reason="certificates",result="refused"}'),
      "1",
    );
    assert.equal(await sample('evener_problems{kind="Evener",reason="ConfigurationRefused"}'), "1");
    assert.deepEqual(messages(), [
      "configuration not taken; the last good one serves",
      "problem: hitch: line 3: no such file; the last good configuration serves",
    ]);
    world.outcome = { reloads: [], failures: [] };
    await controller.sync();
    assert.equal(await sample("evener_config_last_reload_successful"), "1");
  });

  test("a deferred reload is no failure, and comes back", async () => {
    const { world, controller } = open();
    world.outcome = { reloads: [], failures: [], deferredUntil: 12345 };
    assert.deepEqual(await controller.sync(), { ok: true, again: 12345 });
  });

  test("a bug in the rebuild leaves what serves alone, and is told", async () => {
    const { world, controller, messages, sample } = open();
    await controller.sync();
    const before = controller.latest;
    world.bug = new Error("never thought of that");
    assert.deepEqual(await controller.sync(), { ok: false });
    assert.equal(world.applied.length, 1);
    assert.equal(controller.latest, before);
    assert.equal(await sample('evener_problems{kind="Evener",reason="RebuildFailed"}'), "1");
    assert.ok(messages().some((message) => message.includes("never thought of that")));
  });
});
