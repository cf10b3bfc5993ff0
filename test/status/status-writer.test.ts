// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Ingress } from "@kubernetes/client-node";
import { StatusWriter } from "../../src/status/status-writer.ts";
import { collectLog } from "../fixtures/collect-log.ts";
import { FakeApi } from "../fixtures/fake-api.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const pathOf = (name: string) => `/apis/networking.k8s.io/v1/namespaces/shop/ingresses/${name}`;
const OURS = [{ ip: "192.0.2.1" }];

function open() {
  const api = new FakeApi();
  const clock = new FakeClock();
  const { log, messages } = collectLog();
  const world = { allowed: true };
  const writer = new StatusWriter({
    api,
    clock,
    wallTime: () => new Date(0),
    random: () => 0,
    log,
    allowed: () => world.allowed,
  });
  /** Writes an Ingress as its owner would; gives it as the cache gets it. */
  const put = (name: string, more: { uid?: string; ip?: string; ingressClassName?: string } = {}) => {
    const { uid = `uid-${name}`, ip, ingressClassName = "evener" } = more;
    const status = ip === undefined ? {} : { status: { loadBalancer: { ingress: [{ ip }] } } };
    const metadata = { name, namespace: "shop", uid };
    return api.put(pathOf(name), { metadata, spec: { ingressClassName }, ...status }) as V1Ingress;
  };
  const read = (name: string) => {
    const { status } = (api.objects.get(pathOf(name)) ?? {}) as V1Ingress;
    return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join();
  };
  return { api, clock, world, writer, put, read, messages };
}

describe("statuses", () => {
  test("are written where they differ, once", async () => {
    const { api, clock, writer, put, read } = open();
    const cache = [put("a"), put("b", { ip: "192.0.2.1" }), put("c", { ip: "198.51.100.1" })];
    writer.update(cache, OURS);
    // The cache does not know yet.
    writer.update(cache, OURS);
    await clock.advance(1000);
    writer.update(cache, OURS);
    await clock.advance(60_000);
    assert.deepEqual(
      api.list(),
      ["a", "c"].map((name) => `PATCH ${pathOf(name)}/status`),
    );
    assert.deepEqual([read("a"), read("b"), read("c")], ["192.0.2.1", "192.0.2.1", "192.0.2.1"]);
  });

  test("are the leader's to write", async () => {
    const { api, clock, world, writer, put } = open();
    world.allowed = false;
    writer.update([put("a")], OURS);
    await clock.advance(60_000);
    assert.deepEqual(api.list(), []);
    world.allowed = true;
    writer.wake();
    await clock.advance(0);
    assert.equal(api.list().length, 1);
  });

  test("are not written into an object that has come to another class, was made anew, or is gone", async () => {
    const { clock, writer, put, read, api } = open();
    const cache = [put("a"), put("b"), put("c")];
    put("a", { ingressClassName: "other", ip: "198.51.100.1" });
    put("b", { uid: "another" });
    api.objects.delete(pathOf("c"));
    writer.update(cache, OURS);
    await clock.advance(600_000);
    assert.deepEqual([read("a"), read("b"), read("c")], ["198.51.100.1", "", ""]);
    assert.equal(api.list("PATCH").length, 3);
  });

  test("are written on top of a change that the cache has not heard of", async () => {
    const { clock, writer, put, read } = open();
    const cache = [put("a")];
    put("a");
    writer.update(cache, OURS);
    await clock.advance(0);
    assert.equal(read("a"), "192.0.2.1");
  });

  test("wait for a server that does not answer, or asks for patience", async () => {
    for (const fault of [
      new Error("ECONNREFUSED"),
      { status: 429, body: undefined },
      { status: 503, body: {} },
    ]) {
      const { api, clock, writer, put, read } = open();
      api.fault = () => fault;
      writer.update([put("a"), put("b")], OURS);
      await clock.advance(3_600_000);
      assert.ok(api.requests.length < 500, String(api.requests.length));
      api.fault = () => undefined;
      await clock.advance(60_000);
      assert.deepEqual([read("a"), read("b")], ["192.0.2.1", "192.0.2.1"]);
    }
  });

  test("that are refused are told in the log, and tried again now and then", async () => {
    const { api, clock, writer, put, messages } = open();
    api.fault = () => ({ status: 403, body: { reason: "Forbidden" } });
    writer.update([put("a")], OURS);
    await clock.advance(150_000);
    assert.equal(messages().filter((message) => message === "the status can't be written").length, 3);
  });

  test("do not make a war with another writer", async () => {
    const { api, clock, writer, put } = open();
    for (let i = 0; i < 200; i++) {
      writer.update([put("a", { ip: "198.51.100.1" })], OURS);
      await clock.advance(100);
    }
    assert.ok(api.list("PATCH").length < 10, String(api.list("PATCH").length));
  });

  test("are cleared where they are ours, also where the cache is behind", async () => {
    const { clock, writer, put, read } = open();
    const cache = [put("a", { ip: "192.0.2.1" }), put("b"), put("c", { ip: "198.51.100.1" }), put("d")];
    put("b", { ip: "192.0.2.1" });
    put("d", { ip: "192.0.2.1", ingressClassName: "other" });
    writer.clear(cache, OURS);
    await clock.advance(0);
    await writer.flush();
    assert.deepEqual(["a", "b", "c", "d"].map(read), ["", "", "198.51.100.1", "192.0.2.1"]);
  });
});
