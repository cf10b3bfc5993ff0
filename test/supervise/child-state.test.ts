// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ChildEvent,
  type ChildPolicy,
  type ChildState,
  stepChild,
} from "../../src/supervise/child-state.ts";

const policy: ChildPolicy = {
  backoff: { firstMs: 200, maxMs: 30_000 },
  stableMs: 20_000,
  startTimeoutMs: 10_000,
};
const NOW = 100_000;

const states = {
  stopped: { phase: "stopped" },
  starting: { phase: "starting", deaths: 2 },
  ready: { phase: "ready", deaths: 2, since: NOW - 1000 },
  draining: { phase: "draining" },
  backoff: { phase: "backoff", deaths: 2, until: NOW + 1 },
  failed: { phase: "failed", deaths: 2, until: NOW + 1, message: "ENOENT" },
} as const satisfies Record<string, ChildState>;

const step = (state: ChildState, event: ChildEvent, random = 0.5) =>
  stepChild(state, event, NOW, random, policy);

describe("every transition", () => {
  // What each state becomes; states that are not listed for an event stay as they are, without effects.
  const table: Record<ChildEvent["type"], Partial<Record<keyof typeof states, string>>> = {
    start: { stopped: "starting: spawn, timer start-timeout" },
    ready: { starting: "ready: cancel-timer" },
    "start-timeout": { starting: "starting: kill-group" },
    exited: {
      starting: "backoff: kill-group, cancel-timer, timer retry",
      ready: "backoff: kill-group, cancel-timer, timer retry",
      draining: "stopped: kill-group, cancel-timer",
    },
    retry: {
      backoff: "starting: spawn, timer start-timeout",
      failed: "starting: spawn, timer start-timeout",
    },
    drain: {
      starting: "draining: cancel-timer, signal SIGTERM",
      ready: "draining: cancel-timer, signal SIGTERM",
      backoff: "stopped: cancel-timer",
      failed: "stopped: cancel-timer",
    },
    "drain-timeout": { draining: "draining: kill-group" },
  };
  for (const [type, outcomes] of Object.entries(table) as [ChildEvent["type"], Record<string, string>][]) {
    for (const [name, state] of Object.entries(states)) {
      const expected = outcomes[name];
      test(`${name} + ${type} → ${expected ?? "no change"}`, () => {
        const next = step(state, { type });
        if (expected === undefined) {
          assert.equal(next.state, state);
          assert.deepEqual(next.effects, []);
          return;
        }
        const effects = next.effects.map((effect) => {
          if (effect.type === "signal") return `signal ${effect.name}`;
          return effect.type === "timer" ? `timer ${effect.event}` : effect.type;
        });
        assert.equal(`${next.state.phase}: ${effects.join(", ")}`, expected);
      });
    }
  }
});

describe("back-off", () => {
  const delayOf = (state: ChildState, event: ChildEvent, random: number) => {
    const effect = step(state, event, random).effects.find((one) => one.type === "timer");
    return effect?.type === "timer" ? effect.afterMs : undefined;
  };

  test("the first death is followed by a start within a second", () => {
    const delay = delayOf({ phase: "ready", deaths: 0, since: NOW - 60_000 }, { type: "exited" }, 0.99);
    assert.ok(delay !== undefined && delay < 1000, `${delay}`);
  });

  test("grows with deaths in a row, dying while starting included", () => {
    let state: ChildState = { phase: "starting", deaths: 0 };
    const delays: number[] = [];
    for (let i = 0; i < 12; i++) {
      const died = step(state, { type: "exited" }, 0.999_999);
      const timer = died.effects.find((effect) => effect.type === "timer");
      delays.push(timer?.type === "timer" ? timer.afterMs : -1);
      state = step(died.state, { type: "retry" }).state;
    }
    assert.deepEqual(delays.slice(0, 4), [200, 400, 800, 1600]);
    assert.equal(delays.at(-1), 30_000);
  });

  test("being ready for a while forgets earlier deaths; being ready shortly does not", () => {
    const long = step({ phase: "ready", deaths: 9, since: NOW - policy.stableMs }, { type: "exited" });
    const short = step({ phase: "ready", deaths: 9, since: NOW - policy.stableMs + 1 }, { type: "exited" });
    assert.equal(long.state.phase === "backoff" && long.state.deaths, 1);
    assert.equal(short.state.phase === "backoff" && short.state.deaths, 10);
  });

  test("a program that can't be started is failed, with the reason, and tried slowly", () => {
    const next = step(states.starting, { type: "exited", error: "spawn ENOENT" });
    assert.equal(next.state.phase === "failed" && next.state.message, "spawn ENOENT");
    assert.equal(delayOf(states.starting, { type: "exited", error: "spawn ENOENT" }, 0), 30_000);
  });
});
