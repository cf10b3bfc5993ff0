// SPDX-License-Identifier: Apache-2.0
/** A builder that remembers gives, after any history, what one without a past gives. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { V1Endpoint, V1EndpointSlice, V1Ingress, V1Service } from "@kubernetes/client-node";
import { buildModel, createModelBuilder } from "../../src/model/build-model.ts";
import type { ModelInput, ModelSettings, Store } from "../../src/model/types.ts";
import { type MadeCertificate, makeCertificates } from "../helpers/certificates.ts";
import { manyIngresses } from "../helpers/many-ingresses.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

const FALLBACK = { id: "default", pem: "", hosts: [], notAfter: "2030-01-01T00:00:00.000Z" };
const COUNT = 12;
let certificates: readonly MadeCertificate[];

before(async () => {
  const names = ["*.example"];
  const made = await makeCertificates({
    long: { names, notAfter: "2035-01-01T00:00:00Z" },
    short: { names, notAfter: "2026-01-01T12:00:00Z" },
    future: { names, notBefore: "2026-01-01T06:00:00Z" },
  });
  certificates = [...made.values()];
});

/** A change of one object in one map, as a source makes it: the other maps and objects stay the same. */
function change<K extends keyof Store>(
  store: Store,
  map: K,
  pick: number,
  how: (object: never) => unknown,
): Store {
  const objects = new Map<string, unknown>(store[map]);
  const [key = "", object] = [...objects][pick % objects.size] ?? [];
  const changed = how(object as never);
  if (changed === undefined) objects.delete(key);
  else objects.set(key, changed);
  return { ...store, [map]: objects };
}

function annotate(annotations: Record<string, string>): (store: Store, pick: number) => Store {
  return (store, pick) =>
    change(store, "ingresses", pick, (ingress: V1Ingress) => ({
      ...ingress,
      metadata: { ...ingress.metadata, annotations },
    }));
}

const changes: Record<string, (store: Store, pick: number) => Store> = {
  "an endpoint leaves": (store, pick) =>
    change(store, "endpointSlices", pick, (slice: object) => ({ ...slice, endpoints: [] })),
  "a slice goes": (store, pick) => change(store, "endpointSlices", pick, () => undefined),
  "a slice is of another Service": (store, pick) =>
    change(store, "endpointSlices", pick, (slice: V1EndpointSlice) => ({
      ...slice,
      metadata: {
        ...slice.metadata,
        namespace: "team-1",
        labels: { "kubernetes.io/service-name": "web-1" },
      },
    })),
  "a slice is of no Service": (store, pick) =>
    change(store, "endpointSlices", pick, (slice: V1EndpointSlice) => ({
      ...slice,
      metadata: { ...slice.metadata, labels: {} },
    })),
  "a slice is odd": (store, pick) =>
    change(store, "endpointSlices", pick, (slice: object) => ({ ...slice, addressType: "FQDN" })),
  "a Service goes": (store, pick) => change(store, "services", pick, () => undefined),
  "a Service has another port": (store, pick) =>
    change(store, "services", pick, (service: object) => ({ ...service, spec: { ports: [{ port: 81 }] } })),
  "an Ingress has times of its own": annotate({ "evener.io/proxy-connect-timeout": "7" }),
  "an Ingress changes lanes": annotate({ "evener.io/lane": "tcp" }),
  "an Ingress has a rule's options": annotate({
    "evener.io/ssl-redirect": "false",
    "evener.io/app-root": "/app",
  }),
  "an Ingress has an annotation that is wrong": annotate({ "evener.io/limit-connections": "many" }),
  "an Ingress asks for a pool of its own": annotate({
    "evener.io/load-balance": "first",
    "evener.io/backup-service": "s1:80",
  }),
  "a Service says something of its pools": (store, pick) =>
    change(store, "services", pick, (service: V1Service) => ({
      ...service,
      metadata: { ...service.metadata, annotations: { "evener.io/load-balance": "ewma" } },
    })),
  "an endpoint gets a zone": (store, pick) =>
    change(store, "endpointSlices", pick, (slice: V1EndpointSlice) => ({
      ...slice,
      endpoints: slice.endpoints?.map((endpoint) => ({ ...endpoint, zone: "a" })),
    })),
  "an Ingress is as it was": annotate({}),
  "an Ingress goes": (store, pick) => change(store, "ingresses", pick, () => undefined),
  "a Secret goes": (store, pick) => change(store, "secrets", pick, () => undefined),
  "a Secret is broken": (store, pick) =>
    change(store, "secrets", pick, (secret: object) => ({
      ...secret,
      data: { "tls.crt": "", "tls.key": "" },
    })),
};

describe("a model builder", () => {
  test("gives the same after any history", () => {
    const build = createModelBuilder();
    let store = manyIngresses(COUNT, certificates);
    for (const [round, [name, apply]] of [...Object.entries(changes), ...Object.entries(changes)].entries()) {
      store = apply(store, round * 5);
      const now = new Date(NOW.getTime() + round * 3600_000);
      const input: ModelInput = { store, settings: SETTINGS, fallbackCertificate: FALLBACK, now };
      assert.deepEqual(build(input), buildModel(input), name);
      assert.deepEqual(build(input), buildModel(input), `${name}, again`);
    }
  });

  test("follows changes of its settings", () => {
    const build = createModelBuilder();
    const store = changes["an Ingress changes lanes"]?.(manyIngresses(COUNT, certificates), 3);
    assert.ok(store !== undefined);
    const rest = { store, fallbackCertificate: FALLBACK, now: NOW };
    const parts: readonly Partial<ModelSettings>[] = [
      {},
      { alpn: ["h2", "http/1.1"] },
      { hsts: "max-age=1" },
      { hostOwnership: "namespace" },
      { zone: "a" },
      { zone: "b" },
      { useProxyProtocol: true, trustedProxies: ["10.0.0.0/8"] },
      {},
    ];
    for (const part of parts) {
      const input: ModelInput = { ...rest, settings: { ...SETTINGS, ...part } };
      assert.deepEqual(build(input), buildModel(input), JSON.stringify(part));
    }
  });

  test("time alone changes what is said of a certificate, forwards and backwards", () => {
    const build = createModelBuilder();
    const store = manyIngresses(COUNT, certificates);
    for (const hours of [0, 5, 6, 7, 11, 12, 13, 12, 6, 5, 0, 24]) {
      const now = new Date(NOW.getTime() + hours * 3600_000);
      const input: ModelInput = { store, settings: SETTINGS, fallbackCertificate: FALLBACK, now };
      assert.deepEqual(build(input), buildModel(input), `after ${hours} hours`);
    }
  });

  test("a pool follows its backups' endpoints", () => {
    const build = createModelBuilder();
    const two = manyIngresses(2, certificates);
    // Both Services in one namespace, the second behind the first.
    const backup = two.services.get("team-1/web-1") ?? {};
    const slice = two.endpointSlices.get("team-1/web-1") as V1EndpointSlice;
    const metadata = { ...slice.metadata, namespace: "team-0" };
    const services = new Map([
      ...two.services,
      ["team-0/web-1", { ...backup, metadata: { namespace: "team-0", name: "web-1" } }],
    ]);
    const withSlice = (store: Store, endpoints: V1Endpoint[]): Store => ({
      ...store,
      services,
      endpointSlices: new Map([...store.endpointSlices, ["team-0/web-1", { ...slice, metadata, endpoints }]]),
    });
    const asked = annotate({ "evener.io/backup-service": "web-1:http" })(two, 0);
    const groups = (store: Store) => {
      const input = { store, settings: SETTINGS, fallbackCertificate: FALLBACK, now: NOW };
      const { pools } = build(input).ir.balance;
      assert.deepEqual(pools, buildModel(input).ir.balance.pools);
      return pools.find(({ name }) => name.includes("/backups-"))?.groups.length;
    };
    assert.equal(groups(withSlice(asked, slice.endpoints ?? [])), 2);
    assert.equal(groups(withSlice(asked, [])), 1);
    assert.equal(groups(withSlice(asked, slice.endpoints ?? [])), 2);
  });

  test("an endpoint's change leaves everything else the same object", () => {
    const build = createModelBuilder();
    const store = manyIngresses(COUNT, certificates);
    const rest = { settings: SETTINGS, fallbackCertificate: FALLBACK, now: NOW };
    const first = build({ store, ...rest });
    const second = build({ store: changes["an endpoint leaves"]?.(store, 3) ?? store, ...rest });
    assert.equal(second.ir.hitch, first.ir.hitch);
    assert.equal(second.ir.balance.routes, first.ir.balance.routes);
    assert.equal(second.ir.balance.tables[0], first.ir.balance.tables[0]);
    assert.equal(second.statuses, first.statuses);
    const other = second.ir.balance.pools.filter((pool, i) => pool !== first.ir.balance.pools[i]);
    assert.equal(other.length, 1);
  });
});
