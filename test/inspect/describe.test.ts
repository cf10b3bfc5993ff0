// SPDX-License-Identifier: Apache-2.0
/** What an inspection says, from real rebuilds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCertificates } from "../../src/inspect/describe-certificates.ts";
import { describePools } from "../../src/inspect/describe-pools.ts";
import { describeRoutes } from "../../src/inspect/describe-routes.ts";
import { Generations } from "../../src/inspect/generations.ts";
import { ReloadHistory } from "../../src/inspect/reload-history.ts";
import { DEFAULT_BACKEND_SETTINGS } from "../../src/model/backend-settings.ts";
import type { Ir } from "../../src/model/types.ts";

const DAY = 86_400_000;

test("certificates: how long they last, and what that means", () => {
  const now = Date.parse("2026-06-01T00:00:00Z");
  const make = (id: string, days: number) => ({
    id,
    pem: "-----BEGIN PRIVATE KEY-----\nsecret",
    hosts: [`${id}.example`],
    notAfter: new Date(now + days * DAY).toISOString(),
    source: { apiVersion: "v1", kind: "Secret", namespace: "default", name: id },
  });
  const ca = { id: "ca", pem: "CA", names: [] } as unknown as never;
  const hitch = {
    certificates: [
      make("far", 60),
      make("near", 13.5),
      { ...make("past", -1), clients: { ca, mode: "required" } },
    ],
    defaultCertificate: { id: "own", pem: "-----BEGIN PRIVATE KEY-----", hosts: [], notAfter: "never" },
  } as unknown as Ir["hitch"];
  const views = describeCertificates({ hitch }, now);
  assert.deepEqual(
    views.map(({ secret, validity, daysLeft, isDefault, clients }) => [
      secret,
      validity,
      daysLeft,
      isDefault,
      clients,
    ]),
    [
      ["default/far", "ok", 60, false, undefined],
      ["default/near", "expires soon", 13, false, undefined],
      ["default/past", "expired", -1, false, "required"],
      [undefined, "unknown", undefined, true, undefined],
    ],
  );
  assert.doesNotMatch(JSON.stringify(views), /PRIVATE|secret\\n/);
});

test("routes: every way in, with its lane, its certificate and the Ingresses of its host", () => {
  const ref = (name: string) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    namespace: "ns",
    name,
  });
  const options = {
    sslRedirect: true,
    redirect: undefined,
    rewrite: undefined,
    allow: [],
    deny: [],
    limitConnections: 0,
    maxBodyBytes: 0,
    hsts: undefined,
    clientCertificate: undefined,
  };
  const secret = { apiVersion: "v1", kind: "Secret", namespace: "ns", name: "tls" };
  const ir = {
    hitch: {
      certificates: [{ id: "c1", source: secret }],
      defaultCertificate: { id: "c0" },
      served: [{ host: "a.example", certificate: "c1" }],
      relayed: ["pass.example"],
    },
    balance: {
      listeners: [
        { name: "https", address: "unix:/run/x/balance.sock", table: "main" },
        { name: "front-8443", address: "tcp:[::]:8443", sni: true },
        { name: "tcp-5432", address: "tcp:[::]:5432" },
      ],
      routes: [
        { listener: "https", host: "tcp.example", pool: "ns/tcp:1" },
        { listener: "https", host: "*", port: 6379, pool: "ns/redis:6379" },
        { listener: "front-8443", host: "pass.example", pool: "ns/pass:1" },
        { listener: "front-8443", host: "*", pool: "hitch" },
        { listener: "tcp-5432", host: "*", pool: "ns/db:5432" },
      ],
      tables: [
        {
          name: "main",
          rules: [
            { host: "a.example", kind: "prefix", path: "/", pool: "ns/a:80", options },
            {
              host: "a.example",
              kind: "exact",
              path: "/old",
              pool: undefined,
              options: { ...options, redirect: { code: 301, location: "/new" } },
            },
          ],
          fallback: { pool: "ns/rest:80", options },
        },
      ],
      upstream: [{ port: 7000, pool: "ns/up:7000" }],
    },
  } as unknown as Ir;
  const statuses = ["one", "two"].map((name) => ({ ref: ref(name), loadBalancer: [], hosts: ["a.example"] }));
  const rows = describeRoutes({ ir, statuses }).map((one) => [
    one.host,
    one.path,
    one.lane,
    one.pool,
    one.certificate,
    one.how.join("; "),
  ]);
  assert.deepEqual(rows, [
    ["*", "/*", "http", "ns/rest:80", "default", "http goes to https"],
    ["*", "", "port", "ns/redis:6379", "default", "port 6379, TLS"],
    ["*", "", "port", "ns/db:5432", undefined, "port 5432"],
    ["*", "", "port", "ns/up:7000", undefined, "port 7000; by upstream Balance"],
    ["a.example", "/*", "http", "ns/a:80", "ns/tls", "http goes to https"],
    ["a.example", "= /old", "http", undefined, "ns/tls", "http goes to https; 301 to /new"],
    ["pass.example", "", "passthrough", "ns/pass:1", undefined, "the pod has the certificate"],
    ["tcp.example", "", "tcp", "ns/tcp:1", "default", ""],
  ]);
  assert.deepEqual(describeRoutes({ ir, statuses }).find(({ host }) => host === "a.example")?.ingresses, [
    "ns/one",
    "ns/two",
  ]);
});

test("pools while Balance does not answer are those that were rendered", () => {
  const groups = [[{ address: "10.0.0.1", port: 80, max: 3 }], [{ address: "fd00::1", port: 80, max: 0 }]];
  const ir = {
    balance: { pools: [{ name: "p", settings: DEFAULT_BACKEND_SETTINGS, groups }], tables: [] },
  } as unknown as Ir;
  const [pool] = describePools(ir, undefined);
  assert.deepEqual(
    pool?.groups.map(({ channels }) => channels.map(({ channel, max, state }) => [channel, max, state])),
    [[["10.0.0.1:80", 3, undefined]], [["[fd00::1]:80", 0, undefined]]],
  );
  const live = [{ pool: "p", queued: 4, groups: [] }];
  assert.equal(describePools(ir, live)[0]?.queued, 4);
});

test("a file's diff is against the text that it replaced, however often nothing changed", () => {
  const generations = new Generations();
  const list = () =>
    generations.list((name, text) => (name === "a.conf" ? text === "hash 2\nx\nz\n" : undefined));
  generations.update({ "a.conf": "hash 1\nx\ny\n" }, 1000);
  assert.equal(list()[0]?.diff, undefined);
  assert.equal(list()[0]?.live, false);
  generations.update({ "a.conf": "hash 2\nx\nz\n", "b.conf": "b\n" }, 2000);
  generations.update({ "a.conf": "hash 2\nx\nz\n", "b.conf": "b\n" }, 3000);
  const [a, b] = list();
  assert.match(a?.diff ?? "", /\n x\n-y\n\+z\n$/);
  assert.equal(a?.changedAt, "1970-01-01T00:00:02.000Z");
  assert.equal(a?.live, true);
  assert.equal(b?.live, undefined);
  assert.equal(generations.text("a.conf"), "hash 2\nx\nz\n");
  generations.update({ "a.conf": "hash 3\nx\nz\n" }, 4000);
  assert.equal(list()[0]?.diff, "");
  assert.equal(list().length, 1);
  assert.equal(generations.text("b.conf"), undefined);
});

test("two texts without anything in common are said to be so", () => {
  const generations = new Generations();
  const lines = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word} ${i}\n`).join("");
  generations.update({ "a.conf": lines("x") }, 1);
  generations.update({ "a.conf": lines("y") }, 2);
  const [file] = generations.list(() => undefined);
  assert.equal(file?.different, true);
  assert.equal(file?.diff, undefined);
});

test("the history keeps the newest reloads, and of a message so much as can be read", () => {
  const history = new ReloadHistory(3);
  for (let i = 0; i < 5; i++) {
    history.add({
      at: i,
      durationMs: 1.4,
      child: "hitch",
      reason: "routes",
      result: "refused",
      message: "m".repeat(5000),
    });
  }
  assert.deepEqual(
    history.list.map(({ at, milliseconds, message }) => [at, milliseconds, message?.length]),
    [4, 3, 2].map((i) => [new Date(i).toISOString(), 1, 1000]),
  );
});
