// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Interner } from "../../../src/source/kube/interner.ts";
import { ObjectCache } from "../../../src/source/kube/object-cache.ts";
import { LineSplitter } from "../../../src/source/kube/split-lines.ts";
import type { StoredKind } from "../../../src/store/kinds.ts";

function open(kind: StoredKind) {
  let changes = 0;
  const cache = new ObjectCache(kind, new Interner(), () => changes++);
  return { cache, changes: () => changes, get: (key: string) => new Map(cache.objects()).get(key) };
}

const service = (name: string, version: string, more: object = {}, spec: object = {}) => ({
  metadata: {
    namespace: "shop",
    name,
    uid: "u1",
    resourceVersion: version,
    creationTimestamp: "2026-01-01T00:00:00Z",
    managedFields: [{ manager: "kubectl", fieldsV1: { "f:spec": {} } }],
    labels: { app: "x" },
    annotations: {
      "kubectl.kubernetes.io/last-applied-configuration": "x".repeat(1000),
      "evener.io/load-balance": "hash",
    },
    ...more,
  },
  spec: {
    ports: [{ port: 80, newField: { deep: 1 } }],
    selector: { app: "x" },
    sessionAffinity: "None",
    ...spec,
  },
});

describe("the cache of a scope", () => {
  test("keeps of an object what is used", () => {
    const { cache, get } = open("Service");
    cache.changed(service("web", "5"));
    assert.deepEqual(get("shop/web"), {
      metadata: {
        namespace: "shop",
        name: "web",
        uid: "u1",
        resourceVersion: "5",
        creationTimestamp: new Date("2026-01-01T00:00:00Z"),
        annotations: { "evener.io/load-balance": "hash" },
      },
      spec: { ports: [{ port: 80 }] },
    });
    assert.deepEqual([...cache.problems()], []);
  });

  test("keeps only certificate, key and authority of a Secret", () => {
    const { cache, get } = open("Secret");
    const data = { "tls.crt": "YQ==", "tls.key": "Yg==", "ca.crt": "Yw==", "keystore.jks": "ZA==" };
    cache.changed({ metadata: { namespace: "a", name: "b" }, type: "kubernetes.io/tls", data });
    const { "keystore.jks": _, ...kept } = data;
    assert.deepEqual((get("a/b") as { data?: unknown }).data, kept);
  });

  test("a write that concerns nothing of that is no change, and the object stays the same", () => {
    const { cache, changes, get } = open("Service");
    cache.changed(service("web", "5"));
    const before = get("shop/web");
    cache.changed(service("web", "6", { labels: { app: "y" } }));
    assert.equal(changes(), 1);
    assert.equal(get("shop/web"), before);
    cache.changed(service("web", "7", {}, { ports: [{ port: 81 }] }));
    assert.equal(changes(), 2);
    assert.notEqual(get("shop/web"), before);
  });

  test("another object of the same name is a change", () => {
    const { cache, changes } = open("Service");
    cache.changed(service("web", "5"));
    cache.changed(service("web", "6", { uid: "u2" }));
    assert.equal(changes(), 2);
  });

  test("a new list replaces everything at its end, and keeps what is the same", () => {
    const { cache, changes, get } = open("Service");
    for (const name of ["a", "b", "c"]) cache.changed(service(name, "5"));
    const [a, b] = [get("shop/a"), get("shop/b")];
    cache.beginList();
    cache.listed(service("a", "5"));
    cache.listed(service("b", "9"));
    cache.listed(service("d", "9"));
    assert.equal(changes(), 3);
    assert.equal([...cache.objects()].length, 3, "half a list is none");
    cache.endList();
    assert.equal(changes(), 4);
    assert.equal(get("shop/a"), a);
    assert.equal(get("shop/b"), b);
    assert.deepEqual(
      [...cache.objects()].map(([key]) => key),
      ["shop/a", "shop/b", "shop/d"],
    );
  });

  test("a list that begins again forgets its first attempt", () => {
    const { cache } = open("Service");
    cache.beginList();
    cache.listed(service("a", "5"));
    cache.beginList();
    cache.listed(service("b", "5"));
    cache.endList();
    assert.deepEqual(
      [...cache.objects()].map(([key]) => key),
      ["shop/b"],
    );
  });

  test("a list without any difference is no change", () => {
    const { cache, changes } = open("Service");
    cache.changed(service("a", "5"));
    cache.beginList();
    cache.listed(service("a", "6"));
    cache.endList();
    assert.equal(changes(), 1);
  });

  const odd: [name: string, kind: StoredKind, object: unknown][] = [
    ["null", "Service", null],
    ["a number", "Service", 5],
    ["no metadata", "Service", {}],
    ["no name", "Service", { metadata: { namespace: "a" } }],
    ["no namespace", "Service", { metadata: { name: "a" } }],
    ["a name that is no text", "Service", { metadata: { name: {}, namespace: "a" } }],
  ];
  for (const [name, kind, object] of odd) {
    test(`what has ${name} is passed over`, () => {
      const { cache, changes } = open(kind);
      cache.changed(object);
      cache.deleted(object);
      cache.beginList();
      cache.listed(object);
      cache.endList();
      assert.equal(changes(), 0);
    });
  }

  const wrong: [name: string, kind: StoredKind, rest: object][] = [
    ["ports that are text", "Service", { spec: { ports: "80" } }],
    [
      "an annotation that is a list",
      "Service",
      { metadata: { name: "x", namespace: "a", annotations: { a: [] } } },
    ],
    [
      "a time that is none",
      "Service",
      { metadata: { name: "x", namespace: "a", creationTimestamp: "soon" } },
    ],
    ["endpoints without addresses", "EndpointSlice", { addressType: "IPv4", endpoints: [{}] }],
    ["no address type", "EndpointSlice", {}],
    ["rules that are a map", "Ingress", { spec: { rules: {} } }],
    ["data that is a number", "Secret", { data: { "tls.crt": 5 } }],
  ];
  for (const [name, kind, rest] of wrong) {
    test(`an object with ${name} is left out with a problem, until it is mended`, () => {
      const { cache, changes, get } = open(kind);
      const metadata = { name: "x", namespace: "a" };
      cache.changed({ metadata, ...rest });
      assert.deepEqual(
        [...cache.problems()].map(({ reason, ref }) => [reason, ref.kind, ref.name]),
        [["InvalidField", kind, "x"]],
      );
      assert.equal(get("a/x"), undefined);
      cache.changed({ metadata, addressType: "IPv4" });
      assert.deepEqual([...cache.problems()], []);
      assert.equal(changes(), 2);
    });
  }

  test("nulls, as Go writes them, are absent fields", () => {
    const { cache, get } = open("EndpointSlice");
    const metadata = { name: "x", namespace: "a", creationTimestamp: null };
    cache.changed({ metadata, addressType: "IPv4", endpoints: null, ports: null });
    assert.deepEqual(get("a/x"), {
      metadata: { name: "x", namespace: "a" },
      addressType: "IPv4",
      endpoints: [],
    });
  });
});

test("lines are whole, however their bytes come", () => {
  const bytes = Buffer.from('{"a":"ü"}\n\n{"b":2}\nrest');
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size)
      lines.push(...splitter.push(bytes.subarray(at, at + size)));
    assert.deepEqual(lines, ['{"a":"ü"}', "", '{"b":2}']);
  }
});
