// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Failure } from "../../../src/source/kube/failure.ts";
import {
  type Action,
  INITIAL,
  type ReflectorEvent,
  type ReflectorState,
  step,
} from "../../../src/source/kube/reflector-state.ts";

const due: ReflectorEvent = { type: "due" };
const page = (version: string, token?: string): ReflectorEvent => ({
  type: "page",
  version,
  ...(token === undefined ? {} : { token }),
});
const progress = (version: string): ReflectorEvent => ({ type: "progress", version });
const ended = (failure: Failure, lastedMs = 0): ReflectorEvent => ({ type: "ended", failure, lastedMs });
const status = (code: number, retryAfterMs?: number): Failure => ({
  kind: "status",
  code,
  message: "",
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const broken: Failure = { kind: "broken", message: "ECONNRESET" };
const garbled: Failure = { kind: "garbled", message: "" };
const closed: Failure = { kind: "closed" };

/** Feeds events in order; all states and actions after each. */
function play(events: readonly ReflectorEvent[], random = 0.5, from: ReflectorState = INITIAL) {
  const actions: Action[] = [];
  let state = from;
  for (const event of events) {
    const next = step(state, event, random);
    state = next.state;
    actions.push(next.action);
  }
  return { state, actions, last: actions.at(-1) };
}

const WATCHING = play([due, page("10")]).state;
const repeat = (count: number, ...events: ReflectorEvent[]) =>
  Array.from({ length: count }, () => events).flat();

describe("a list", () => {
  test("comes first, in pages, and a watch from its version follows", () => {
    const { actions, state } = play([due, page("10", "t1"), page("10", "t2"), page("10")]);
    assert.deepEqual(actions, [
      { type: "list", limit: 500 },
      { type: "list", limit: 500, token: "t1" },
      { type: "list", limit: 500, token: "t2" },
      { type: "watch", version: "10" },
    ]);
    assert.equal(state.synced, true);
  });

  test("has not been seen before its last page", () => {
    assert.equal(play([due, page("10", "t1")]).state.synced, false);
  });

  test("goes on at the page that failed", () => {
    const { last } = play([due, page("10", "t1"), ended(broken), due]);
    assert.deepEqual(last, { type: "list", limit: 500, token: "t1" });
  });

  test("begins anew in one piece when its token has expired, and the next one has pages again", () => {
    const { last, state } = play([due, page("10", "t1"), ended(status(410)), due]);
    assert.deepEqual(last, { type: "list" });
    const later = play([page("11"), ended(status(410)), due], 0.5, state);
    assert.deepEqual(later.last, { type: "list", limit: 500 });
  });
});

describe("a watch", () => {
  test("that ends in its time goes on at once where it was", () => {
    const { last } = play([progress("12"), ended(closed, 5000)], 0.5, WATCHING);
    assert.deepEqual(last, { type: "watch", version: "12" });
  });

  for (const failure of [broken, status(401), status(403), status(429), status(503), closed, garbled]) {
    const name = failure.kind === "status" ? failure.code : failure.kind;
    test(`that ends with ${name} goes on after a while where it was`, () => {
      const { actions } = play([progress("12"), ended(failure), due], 0.5, WATCHING);
      assert.equal(actions[1]?.type, "wait");
      assert.deepEqual(actions[2], { type: "watch", version: "12" });
    });
  }

  test("from a version that is over is a list", () => {
    const { actions } = play([ended(status(410)), due], 0.5, WATCHING);
    assert.equal(actions[0]?.type, "wait");
    assert.deepEqual(actions[1], { type: "list", limit: 500 });
  });

  for (const failure of [status(504), status(500), status(404), garbled, closed]) {
    const name = failure.kind === "status" ? failure.code : failure.kind;
    test(`that ends with ${name} three times in a row is a list`, () => {
      const { actions } = play(repeat(3, ended(failure), due), 0.5, WATCHING);
      assert.deepEqual(
        actions.filter(({ type }) => type !== "wait").map(({ type }) => type),
        ["watch", "watch", "list"],
      );
    });
  }

  test("that gets on in between is not", () => {
    const { last } = play(repeat(5, ended(garbled), due, progress("13")), 0.5, WATCHING);
    const { last: next } = play([ended(garbled), due], 0.5, { ...WATCHING, version: "13" });
    assert.equal(last?.type, "go-on");
    assert.deepEqual(next, { type: "watch", version: "13" });
  });

  test("of a server that can't be reached, or has too much to do, is never a list", () => {
    for (const failure of [broken, status(429), status(503), status(401)]) {
      const { last } = play(repeat(100, ended(failure), due), 0.5, WATCHING);
      assert.deepEqual(last, { type: "watch", version: "10" });
    }
  });
});

describe("waiting", () => {
  const waits = (failure: Failure, count: number, random: number) =>
    play(repeat(count, ended(failure), due), random, WATCHING).actions.flatMap((action) =>
      action.type === "wait" ? [action.ms] : [],
    );

  test("doubles up to ten seconds while there is no connection", () => {
    assert.deepEqual(waits(broken, 8, 1), [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  test("doubles up to half a minute while the server says no", () => {
    assert.deepEqual(waits(status(403), 8, 1), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test("is spread over half of its length", () => {
    assert.deepEqual(waits(broken, 3, 0), [100, 200, 400]);
  });

  test("is never shorter than the server asked for", () => {
    assert.deepEqual(waits(status(429, 7000), 2, 0), [7000, 7000]);
    assert.deepEqual(waits(status(429, 7000), 1, 1), [10_500]);
  });

  test("starts small again after a watch that worked", () => {
    const { state } = play(repeat(9, ended(broken), due), 1, WATCHING);
    assert.deepEqual(play([ended(broken, 5000)], 1, state).last, { type: "wait", ms: 200 });
  });
});
