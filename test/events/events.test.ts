// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventBook, REFRESH_MS } from "../../src/events/event-book.ts";
import { cutBytes, describeProblemEvents, describeSynced, keyOfEvent } from "../../src/events/event-wish.ts";
import { EventWriter } from "../../src/events/event-writer.ts";
import { SyncedOnce } from "../../src/events/synced-once.ts";
import type { IngressStatus, ObjectRef, Problem } from "../../src/model/types.ts";
import { collectLog } from "../fixtures/collect-log.ts";
import { FakeApi } from "../fixtures/fake-api.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const refOf = (name: string, kind = "Ingress"): ObjectRef & { uid: string } => ({
  apiVersion: kind === "Ingress" ? "networking.k8s.io/v1" : "v1",
  kind,
  namespace: "shop",
  name,
  uid: `uid-${name}`,
});
const makeProblem = (ref: ObjectRef, message = "is bad", field?: string): Problem => ({
  ref,
  severity: "error",
  reason: "HostConflict",
  message,
  ...(field === undefined ? {} : { field }),
});
const wishOf = (name: string, message?: string) => {
  const [wish] = describeProblemEvents([makeProblem(refOf(name), message)], new Set([`uid-${name}`]), []);
  assert.ok(wish !== undefined);
  return wish;
};

describe("what Events are about", () => {
  test("our Ingresses and what they use, never another class's, nor what is no object of the API", () => {
    const { uid: _uid, ...absent } = refOf("absent", "Secret");
    const problems = [
      makeProblem(refOf("ours"), "loses to Ingress shop/older", "spec.rules[0]"),
      makeProblem(refOf("foreign")),
      makeProblem(refOf("tls", "Secret")),
      makeProblem(absent),
      makeProblem({ apiVersion: "evener.io/v1alpha1", kind: "Evener", name: "hitch", uid: "x" }),
      makeProblem({ apiVersion: "evener.io/v1alpha1", kind: "File", name: "a.yaml" }),
    ];
    const wishes = describeProblemEvents(problems, new Set(["uid-ours"]), []);
    assert.deepEqual(
      wishes.map(({ regarding, type, note }) => [regarding.name, type, note]),
      [
        ["ours", "Warning", "spec.rules[0]: loses to Ingress shop/older"],
        ["tls", "Warning", "is bad"],
      ],
    );
  });

  test("where some namespaces are watched: nothing outside of them, nor what belongs to none", () => {
    const { namespace: _, ...ingressClass } = refOf("evener", "IngressClass");
    const elsewhere = { ...refOf("default-tls", "Secret"), namespace: "certificates" };
    const problems = [ingressClass, elsewhere, refOf("tls", "Secret")].map((ref) => makeProblem(ref));
    const name = (watched: readonly string[]) =>
      describeProblemEvents(problems, new Set(), watched).map(({ regarding }) => regarding.name);
    assert.deepEqual(name([]), ["evener", "default-tls", "tls"]);
    assert.deepEqual(name(["blog", "shop"]), ["tls"]);
  });

  test("notes fit into the API's limit, whole characters only", () => {
    for (const text of ["x".repeat(5000), "é".repeat(5000), "🐎".repeat(5000), `a${"🐎".repeat(5000)}`]) {
      const cut = cutBytes(text, 1024);
      assert.ok(Buffer.byteLength(cut) <= 1024 && Buffer.byteLength(cut) > 1015);
      assert.ok(!cut.includes("\uFFFD"));
    }
    assert.equal(cutBytes("short", 1024), "short");
    const hosts = Array.from({ length: 500 }, (_, i) => `h${i}.example`);
    assert.ok(Buffer.byteLength(describeSynced({ ref: refOf("a"), loadBalancer: [], hosts }).note) <= 1024);
  });
});

test("the book: told when it comes, when it comes back, and now and then while it lasts", () => {
  const book = new EventBook();
  const wish = wishOf("a");
  const key = keyOfEvent(wish);
  const due = (now: number, ...wishes: (typeof wish)[]) => [...book.update(wishes, now).due.keys()];
  assert.deepEqual(due(0, wish), [key]);
  // Until it is told it stays due.
  assert.deepEqual(due(1, wish), [key]);
  book.told(key, 2);
  assert.deepEqual(due(3, wish), []);
  assert.deepEqual(due(2 + REFRESH_MS, wish), [key]);
  book.told(key, 2 + REFRESH_MS);
  assert.deepEqual(book.update([], 3 + REFRESH_MS), { due: new Map(), gone: [key] });
  assert.deepEqual(due(4 + REFRESH_MS, wish), [key]);
  assert.equal(book.wasTold(key), true);
  book.update([], 5 + REFRESH_MS);
  book.update([], 10 * REFRESH_MS);
  assert.equal(book.wasTold(key), false);
});

test("Synced is for what is served without an error for the first time", () => {
  const once = new SyncedOnce();
  const status = (name: string, ...hosts: string[]): IngressStatus => ({
    ref: refOf(name),
    loadBalancer: [],
    hosts,
  });
  const names = (list: readonly IngressStatus[]) => list.map(({ ref }) => ref.name);
  const all = [
    status("good", "a.example"),
    status("bad", "b.example"),
    status("idle"),
    status("old", "c.example"),
  ];
  const isKnown = ({ ref }: IngressStatus) => ref.name === "old";
  assert.deepEqual(names(once.update(all, [makeProblem(refOf("bad"))], isKnown)), ["good"]);
  assert.deepEqual(names(once.update(all, [], isKnown)), ["bad"]);
  assert.deepEqual(names(once.update(all, [], () => false)), []);
  const { uid: _uid, ...bare } = refOf("file");
  assert.deepEqual(names(once.update([{ ...status("x", "x.example"), ref: bare }], [], () => false)), []);
});

describe("the writer", () => {
  const open = (api = new FakeApi()) => {
    const clock = new FakeClock();
    const { log, messages } = collectLog();
    const writer = new EventWriter({
      api,
      clock,
      wallTime: () => new Date(clock.now()),
      random: () => 0,
      log,
      instance: "evener-0",
      allowed: () => true,
    });
    return { api, clock, writer, messages };
  };
  const listEvents = (api: FakeApi) =>
    [...api.objects.values()] as { note: string; series?: { count: number }; reportingInstance: string }[];

  test("makes one Event, and counts it up when it is told again, also in another process", async () => {
    const first = open();
    first.writer.update([wishOf("a")]);
    await first.clock.advance(1000);
    first.writer.update([wishOf("a")]);
    await first.clock.advance(1000);
    assert.equal(listEvents(first.api).length, 1);
    assert.equal(listEvents(first.api)[0]?.series, undefined);
    await first.clock.advance(REFRESH_MS);
    first.writer.update([wishOf("a")]);
    await first.clock.advance(1000);
    assert.equal(listEvents(first.api)[0]?.series?.count, 2);

    const second = open(first.api);
    second.writer.update([wishOf("a")]);
    await second.clock.advance(1000);
    assert.equal(listEvents(first.api).length, 1);
    assert.equal(listEvents(first.api)[0]?.series?.count, 3);
  });

  test("makes it anew when the API server has forgotten it", async () => {
    const { api, clock, writer } = open();
    writer.update([wishOf("a")]);
    await clock.advance(1000);
    api.objects.clear();
    await clock.advance(REFRESH_MS);
    writer.update([wishOf("a")]);
    await clock.advance(1000);
    assert.equal(listEvents(api).length, 1);
  });

  test("says once that an object is served", async () => {
    const { api, clock, writer } = open();
    const wish = describeSynced({ ref: refOf("a"), loadBalancer: [], hosts: ["a.example"] });
    writer.tell(wish);
    await clock.advance(1000);
    writer.tell(wish);
    await clock.advance(1000);
    assert.deepEqual(
      listEvents(api).map(({ note, series, reportingInstance }) => [note, series, reportingInstance]),
      [["serving a.example", undefined, "evener-0"]],
    );
  });

  test("is bounded for one object, so that the others get their turn, and for all", async () => {
    const { api, clock, writer } = open();
    const noisy = Array.from({ length: 300 }, (_, i) => wishOf("noisy", `problem ${i}`));
    writer.update([...noisy, wishOf("quiet")]);
    await clock.advance(30_000);
    const notes = listEvents(api).map(({ note }) => note);
    assert.ok(notes.includes("is bad"));
    assert.ok(notes.length <= 12, String(notes.length));
  });

  test("does without what can't be told: API gone, forbidden, a namespace that ends", async () => {
    const { api, clock, writer, messages } = open();
    api.fault = () => new Error("ECONNREFUSED");
    writer.update([wishOf("a")]);
    await clock.advance(3_600_000);
    api.fault = () => ({ status: 403, body: { message: "shop is being terminated" } });
    await clock.advance(60_000);
    const before = api.requests.length;
    await clock.advance(600_000);
    assert.equal(api.requests.length, before);
    assert.ok(messages().length < 200);
  });

  test("drops what is no longer true before it was told", async () => {
    const { api, clock, writer } = open();
    api.fault = () => new Error("ECONNREFUSED");
    writer.update([wishOf("a"), wishOf("b")]);
    await clock.advance(100);
    writer.update([wishOf("b")]);
    api.fault = () => undefined;
    await clock.advance(60_000);
    assert.equal(listEvents(api).length, 1);
  });
});
