// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Failure } from "../../../src/source/kube/failure.ts";
import { Reflector } from "../../../src/source/kube/reflector.ts";
import { FakeClock, settle } from "../../fixtures/fake-clock.ts";
import { FakeTransport } from "./fake-transport.ts";

const list = (version: string, items: readonly unknown[] = [], token?: string) => ({
  metadata: { resourceVersion: version, ...(token === undefined ? {} : { continue: token }) },
  items,
});
const event = (type: string, name: string, version: string) => ({
  type,
  object: { metadata: { name, resourceVersion: version } },
});

async function open(t: TestContext) {
  const transport = new FakeTransport();
  const clock = new FakeClock();
  const told: string[] = [];
  const failures: Failure[] = [];
  const nameOf = (object: unknown) => (object as { metadata: { name: string } }).metadata.name;
  const reflector = new Reflector({
    path: "/api/v1/things",
    fieldSelector: "type=x",
    transport,
    clock,
    random: () => 0.5,
    timing: { stallMs: 80_000, watchSeconds: 300 },
    sink: {
      beginList: () => told.push("begin"),
      listed: (object) => told.push(`listed ${nameOf(object)}`),
      endList: () => told.push("end"),
      changed: (object) => told.push(`changed ${nameOf(object)}`),
      deleted: (object) => told.push(`deleted ${nameOf(object)}`),
    },
    onSynced: () => told.push("synced"),
    onFailure: (failure) => failures.push(failure),
    onConnected: () => undefined,
  });
  t.after(() => reflector.stop());
  reflector.start();
  await settle();
  return { reflector, transport, clock, told, failures };
}

/** Listed at version 10, and watching. */
async function openWatch(t: TestContext) {
  const it = await open(t);
  await it.transport.last.answer(list("10"));
  await it.transport.last.begin();
  it.told.length = 0;
  return it;
}

describe("a reflector", () => {
  test("lists page by page, then watches with bookmarks and a time limit", async (t) => {
    const { transport, told, reflector } = await open(t);
    assert.equal(transport.last.query.get("limit"), "500");
    assert.equal(transport.last.query.get("fieldSelector"), "type=x");
    await transport.last.answer(list("10", [{ metadata: { name: "a" } }], "more"));
    assert.equal(reflector.synced, false);
    assert.equal(transport.last.query.get("continue"), "more");
    await transport.last.answer(list("10", [{ metadata: { name: "b" } }]));
    assert.deepEqual(told, ["begin", "listed a", "listed b", "end", "synced"]);
    const { query } = transport.last;
    assert.equal(query.get("watch"), "1");
    assert.equal(query.get("resourceVersion"), "10");
    assert.equal(query.get("allowWatchBookmarks"), "true");
    assert.equal(query.get("timeoutSeconds"), "450");
    assert.equal(query.get("fieldSelector"), "type=x");
  });

  test("takes events however they are cut, and goes on after the last whole one", async (t) => {
    const { transport, clock, told } = await openWatch(t);
    const text = [event("ADDED", "a", "11"), event("DELETED", "b", "12"), event("MODIFIED", "ü", "13")]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");
    const bytes = Buffer.from(text);
    for (const byte of bytes.subarray(0, -10)) await transport.last.sendText(String.fromCharCode(byte));
    assert.deepEqual(told, ["changed a", "deleted b"]);
    transport.last.fail(new Error("reset"));
    await clock.advance(1000);
    assert.equal(transport.last.query.get("resourceVersion"), "12");
  });

  test("a bookmark moves it on without an event", async (t) => {
    const { transport, clock, told } = await openWatch(t);
    await transport.last.send({ type: "BOOKMARK", object: { metadata: { resourceVersion: "50" } } });
    transport.last.fail(new Error("reset"));
    await clock.advance(1000);
    assert.equal(transport.last.query.get("resourceVersion"), "50");
    assert.deepEqual(told, []);
  });

  test("a bookmark from the past means another world: everything is listed", async (t) => {
    const { transport, clock } = await openWatch(t);
    await transport.last.send({ type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } });
    await clock.advance(1000);
    assert.equal(transport.last.query.get("watch"), null);
  });

  test("gives up on a watch that is silent for longer than bookmarks take, not before", async (t) => {
    const { transport, clock, failures } = await openWatch(t);
    await clock.advance(79_000);
    await transport.last.send({ type: "BOOKMARK", object: { metadata: { resourceVersion: "11" } } });
    await clock.advance(79_000);
    assert.equal(transport.exchanges.length, 2);
    await clock.advance(2000);
    assert.deepEqual(
      failures.map(({ kind }) => kind),
      ["stalled"],
    );
    assert.equal(transport.exchanges[1]?.signal.aborted, true);
    assert.equal(transport.last.query.get("resourceVersion"), "11");
  });

  test("gives up on a list that is not answered", async (t) => {
    const { transport, clock, failures } = await open(t);
    await clock.advance(31_000);
    assert.deepEqual(
      failures.map(({ kind }) => kind),
      ["stalled"],
    );
    assert.equal(transport.exchanges.length, 2);
  });

  test("renewed, it asks for a new watch at once", async (t) => {
    const { reflector, transport, clock } = await openWatch(t);
    reflector.renew();
    await clock.advance(300);
    assert.equal(transport.exchanges.length, 3);
    assert.equal(transport.last.query.get("resourceVersion"), "10");
  });

  test("renewed while it waits, it does not wait any longer", async (t) => {
    const { reflector, transport, clock } = await openWatch(t);
    for (let i = 0; i < 8; i++) {
      transport.last.fail(new Error("refused"));
      await clock.advance(i < 7 ? 10_000 : 0);
    }
    const before = transport.exchanges.length;
    reflector.renew();
    await settle();
    assert.equal(transport.exchanges.length, before + 1);
  });

  for (const body of [
    "",
    "<html>",
    "[]",
    "{}",
    '{"items":5,"metadata":{"resourceVersion":"1"}}',
    '{"metadata":7}',
  ]) {
    test(`an answer of ${JSON.stringify(body)} is no list`, async (t) => {
      const { transport, told, failures } = await open(t);
      await transport.last.begin();
      await transport.last.sendText(body);
      await transport.last.end();
      assert.deepEqual(
        failures.map(({ kind }) => kind),
        ["garbled"],
      );
      assert.deepEqual(told, ["begin"]);
    });
  }

  test("stopped, it ends its request and makes no other", async (t) => {
    const { reflector, transport, clock, failures } = await openWatch(t);
    await reflector.stop();
    await clock.advance(100_000);
    assert.equal(transport.last.signal.aborted, true);
    assert.equal(transport.exchanges.length, 2);
    assert.deepEqual(failures, []);
    assert.equal(clock.pending, 0);
  });
});
