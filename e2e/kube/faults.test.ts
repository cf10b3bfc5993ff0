// SPDX-License-Identifier: Apache-2.0
/** Whatever ends a watch or a list, afterwards the source knows what the API server knows. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import type { Manifest } from "../lib/manifests.ts";
import { Cluster } from "./lib/cluster.ts";
import { FaultProxy, type SeenRequest } from "./lib/fault-proxy.ts";
import { openTestSource } from "./lib/source.ts";

const WAIT_MS = 60_000;
let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start();
  const subjects = [{ kind: "ServiceAccount", name: "watcher", namespace: "default" }];
  await cluster.addRules(
    "watcher",
    [{ apiGroups: ["*"], resources: ["*"], verbs: ["list", "watch"] }],
    subjects,
  );
  await cluster.addNamespaces("faults");
});
after(() => cluster.stop());

const makeService = (name: string, port: number): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "faults" },
  spec: { ports: [{ port }] },
});
const status = (code: number) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  message: "test",
});
const isServices = (request: SeenRequest) => /\/services(?:\?|$)/.test(request.path);

/** One of everything that can happen to objects; `round` makes it differ from the rounds before. */
async function write(round: number): Promise<void> {
  await cluster.admin.apply(makeService(`new-${round}`, 1000 + round), makeService("changing", 2000 + round));
  await cluster.admin.delete(makeService(`new-${round - 1}`, 80));
}

class Case {
  readonly proxy: FaultProxy;
  readonly tokenFile: string;
  readonly source: ReturnType<typeof openTestSource>;
  #offset = 0;

  private constructor(proxy: FaultProxy, kubeconfig: string, tokenFile: string, stallMs: number) {
    this.proxy = proxy;
    this.tokenFile = tokenFile;
    const clock = { now: () => systemClock.now() + this.#offset, after: systemClock.after };
    this.source = openTestSource(kubeconfig, { timing: { stallMs, watchSeconds: 300 }, clock });
  }

  /** Unless a test is about silence, it shall not be silence that saves it. */
  static async open(t: TestContext, stallMs = 10 * WAIT_MS): Promise<Case> {
    const proxy = await FaultProxy.start(t, cluster);
    const tokenFile = join(cluster.dir, `token-${proxy.url.slice(-5)}`);
    await writeFile(tokenFile, `${await cluster.createToken("watcher")}\n`);
    const it = new Case(proxy, await cluster.writeTokenKubeconfig(tokenFile, proxy.url), tokenFile, stallMs);
    t.after(() => it.source.stop());
    return it;
  }

  /** With objects, and all watches open. */
  static async start(t: TestContext, stallMs?: number): Promise<Case> {
    const it = await Case.open(t, stallMs);
    await write(1);
    await it.source.start();
    await eventually("all watches are open", () => it.proxy.watching === 5, WAIT_MS);
    await it.agree();
    return it;
  }

  setClock(offset: number): void {
    this.#offset = offset;
  }

  watches(): SeenRequest[] {
    return this.proxy.seen.filter((request) => isServices(request) && request.isWatch);
  }

  lists(): SeenRequest[] {
    return this.proxy.seen.filter((request) => isServices(request) && !request.isWatch);
  }

  /** The store holds what the API server holds. */
  async agree(): Promise<void> {
    const { json } = await cluster.admin.call("GET", "/api/v1/services");
    const items = (json as { items: { metadata: { namespace: string; name: string }; spec: unknown }[] })
      .items;
    const describePort = (spec: unknown) => (spec as { ports: { port: number }[] }).ports[0]?.port;
    const wanted = items
      .map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${describePort(spec)}`)
      .sort();
    await eventually(
      "the store agrees with the API server",
      () => {
        const services = [...this.source.snapshot().store.services];
        const found = services.map(([key, { spec }]) => `${key} ${describePort(spec)}`).sort();
        assert.deepEqual(found, wanted);
        return true;
      },
      WAIT_MS,
    );
  }

  /** After the fault: nothing was lost, nothing is missed from now on, nobody complains any more. */
  async recover(): Promise<void> {
    this.proxy.fault = () => undefined;
    this.proxy.mangle = () => undefined;
    await this.agree();
    await write(3);
    await this.agree();
    await eventually("no failure is left", () => this.source.staleSince === undefined, WAIT_MS);
    assert.deepEqual(this.source.snapshot().problems, []);
  }
}

describe("a fault while watching", () => {
  const answers: [name: string, code: number][] = [
    ["410 Gone", 410],
    ["403 Forbidden", 403],
    ["404 Not Found", 404],
    ["500 Internal Server Error", 500],
    ["503 Service Unavailable", 503],
    ["504, as for a resource version that is too large", 504],
  ];
  for (const [name, code] of answers) {
    test(`the answer to a watch is ${name}`, async (t) => {
      const it = await Case.start(t);
      it.proxy.fault = (request) => (request.isWatch ? { status: code, body: status(code) } : undefined);
      it.proxy.reset();
      await write(2);
      await eventually("some attempts", () => it.watches().length >= 3, WAIT_MS);
      await it.recover();
    });
  }

  test("429 with Retry-After is obeyed", async (t) => {
    const it = await Case.start(t);
    it.proxy.fault = () => ({ status: 429, headers: { "retry-after": "2" } });
    it.proxy.reset();
    await write(2);
    await eventually("two refused attempts", () => it.watches().length >= 3, WAIT_MS);
    const [, first, second] = it.watches();
    assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 1900, "asked again too early");
    await it.recover();
  });

  test("an ERROR event tells of an expired resource version", async (t) => {
    const it = await Case.start(t);
    const lists = it.lists().length;
    it.proxy.mangle = () => JSON.stringify({ type: "ERROR", object: status(410) });
    await write(2);
    await eventually("a new list", () => it.lists().length > lists, WAIT_MS);
    await it.recover();
  });

  test("the token is not accepted until its file holds another", async (t) => {
    const it = await Case.start(t);
    await writeFile(it.tokenFile, "expired");
    it.proxy.reset();
    await write(2);
    await eventually(
      "the API server says 401",
      () => it.watches().some(({ status }) => status === 401),
      WAIT_MS,
    );
    await writeFile(it.tokenFile, await cluster.createToken("watcher"));
    await it.recover();
  });

  test("the connection is reset, again and again", async (t) => {
    const it = await Case.start(t);
    for (let i = 0; i < 5; i++) {
      it.proxy.reset();
      await write(2);
      await eventually("a new watch", () => it.proxy.watching === 5, WAIT_MS);
    }
    assert.equal(it.lists().length, 1, "a broken connection is no reason to list everything");
    await it.recover();
  });

  test("connections are refused for a while", async (t) => {
    const it = await Case.start(t);
    await it.proxy.close();
    await write(2);
    await eventually("it knows that it hears nothing", () => it.source.staleSince !== undefined, WAIT_MS);
    assert.ok(it.source.snapshot().store.services.has("faults/new-1"), "what was known stays");
    await it.proxy.open();
    await it.recover();
  });

  test("the watch falls silent, and nobody says so", async (t) => {
    const it = await Case.start(t, 2000);
    it.proxy.mute();
    await write(2);
    await it.recover();
  });

  test("the request for a watch is never answered", async (t) => {
    const it = await Case.start(t, 2000);
    it.proxy.fault = (request) => (request.isWatch ? "silence" : undefined);
    it.proxy.reset();
    await write(2);
    await eventually("it gave up and asked again", () => it.watches().length >= 3, WAIT_MS);
    await it.recover();
  });

  test("watches end as soon as they begin", async (t) => {
    const it = await Case.start(t);
    it.proxy.fault = (request) => (request.isWatch ? { status: 200 } : undefined);
    it.proxy.reset();
    await write(2);
    await eventually("some attempts", () => it.watches().length >= 5, WAIT_MS);
    const [first, last] = [it.watches().at(1), it.watches().at(4)];
    assert.ok((last?.at ?? 0) - (first?.at ?? 0) > 300, "there was no back-off");
    await it.recover();
  });

  const mangled: [name: string, mangle: (line: string) => string | { cut: string }][] = [
    ["a line is no JSON", (line) => line.slice(1)],
    ["a line is JSON, and no event", () => "[]"],
    [
      "an event is of a type from the future",
      (line) => line.replace(/"(?:ADDED|MODIFIED|DELETED)"/, '"OTHER"'),
    ],
    ["an event has no resource version", (line) => line.replaceAll("resourceVersion", "version")],
    ["the response ends within a line", (line) => ({ cut: line.slice(0, line.length / 2) })],
  ];
  for (const [name, mangle] of mangled) {
    test(name, async (t) => {
      const it = await Case.start(t);
      let left = 3;
      it.proxy.mangle = (line) => (left-- > 0 ? mangle(line) : undefined);
      await write(2);
      await eventually("it came to pass", () => left <= 0, WAIT_MS);
      await it.recover();
    });
  }

  test("a line that can't be read stays unreadable: then everything is listed", async (t) => {
    const it = await Case.start(t);
    const lists = it.lists().length;
    it.proxy.mangle = (line) => line.slice(1);
    await write(2);
    await eventually("a new list", () => it.lists().length > lists, WAIT_MS);
    await it.agree();
    await it.recover();
  });

  test("the clock is an hour ahead all of a sudden, and then back again", async (t) => {
    const it = await Case.start(t);
    for (const offset of [3600_000, 0]) {
      const watches = it.watches().length;
      it.proxy.mute();
      it.setClock(offset);
      await write(2);
      await eventually("a new watch", () => it.watches().length > watches, WAIT_MS);
    }
    await it.recover();
  });
});

describe("a fault while listing", () => {
  const COUNT = 620;
  const many = Array.from({ length: COUNT }, (_, i) => makeService(`many-${i}`, 80));
  before(() => cluster.admin.create(many));
  after(() => cluster.admin.call("DELETE", "/api/v1/namespaces/faults/services"));

  test("a list comes in pages", async (t) => {
    const it = await Case.start(t);
    assert.ok(it.lists().length >= 2);
    assert.ok(it.lists().every(({ path }) => path.includes("limit=500")));
    await it.recover();
  });

  test("the continue token has expired: the list begins anew, in one piece", async (t) => {
    const it = await Case.open(t);
    it.proxy.fault = ({ path }) =>
      path.includes("continue=") ? { status: 410, body: status(410) } : undefined;
    await it.source.start();
    assert.deepEqual(
      it.lists().map(({ path }) => [path.includes("limit="), path.includes("continue=")]),
      [
        [true, false],
        [true, true],
        [false, false],
      ],
    );
    await it.recover();
  });

  const faults = ["reset", "half", { status: 503 }] as const;
  for (const fault of faults) {
    const name = typeof fault === "object" ? `answered with ${fault.status}` : fault;
    test(`the second page is ${name} twice`, async (t) => {
      const it = await Case.open(t);
      let left = 2;
      it.proxy.fault = ({ path }) => (path.includes("continue=") && left-- > 0 ? fault : undefined);
      await it.source.start();
      assert.ok(left <= 0);
      await it.recover();
    });
  }

  test("everything is listed anew, and what is gone is gone", async (t) => {
    const it = await Case.start(t);
    const kept = it.source.snapshot().store.services.get("faults/many-1");
    it.proxy.fault = (request) => (request.isWatch ? { status: 410, body: status(410) } : undefined);
    it.proxy.reset();
    await cluster.admin.delete(makeService("many-0", 80));
    await write(2);
    await it.agree();
    assert.equal(it.source.snapshot().store.services.get("faults/many-1"), kept, "the same object");
    await it.recover();
  });
});

describe("the API server itself", () => {
  test("is killed and comes back", async (t) => {
    const it = await Case.start(t);
    await cluster.stopApiServer();
    await eventually("it knows that it hears nothing", () => it.source.staleSince !== undefined, WAIT_MS);
    assert.ok(it.source.snapshot().store.services.has("faults/changing"), "what was known stays");
    await cluster.startApiServer();
    await write(2);
    await it.recover();
  });

  test("has forgotten our resource version while we were cut off", async (t) => {
    const it = await Case.start(t);
    const lists = it.lists().length;
    await it.proxy.close();
    for (let round = 2; round < 12; round++) await write(round);
    await cluster.stopApiServer();
    await cluster.startApiServer();
    await write(12);
    await it.proxy.open();
    await it.agree();
    t.diagnostic(`lists: ${lists} before, ${it.lists().length} after`);
    await it.recover();
  });

  test("is not there when the source starts", async (t) => {
    const it = await Case.open(t);
    await it.proxy.close();
    const started = it.source.start();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(it.source.synced, false);
    await it.proxy.open();
    await started;
    await it.recover();
  });

  test("is not there, and the source is told to stop", async (t) => {
    const it = await Case.open(t);
    await it.proxy.close();
    const started = assert.rejects(it.source.start(), { code: "EVENER_SOURCE_STOPPED" });
    await it.source.stop();
    await started;
    await it.proxy.open();
  });
});
