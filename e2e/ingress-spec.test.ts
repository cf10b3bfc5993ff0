// SPDX-License-Identifier: Apache-2.0
/** The Ingress specification's rules for hosts, paths, default backends and classes, over both ports
 * (kubernetes.io, Concepts, Ingress: "Examples" of path types, "Multiple matches", "Hostname wildcards", "DefaultBackend"). */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Backend, startBackend } from "./lib/backend.ts";
import { fetchBody } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { type Manifest, makeEndpoints, makeService } from "./lib/manifests.ts";

type PathType = "Exact" | "Prefix" | "ImplementationSpecific";
interface Row {
  readonly kind: PathType;
  readonly paths: readonly string[];
  readonly request: string;
  /** Which of `paths` matches; undefined: none does. */
  readonly matches?: string;
}

/** One host per row. */
const ROWS: readonly Row[] = [
  { kind: "Prefix", paths: ["/"], request: "/any/path", matches: "/" },
  { kind: "Exact", paths: ["/foo"], request: "/foo", matches: "/foo" },
  { kind: "Exact", paths: ["/foo"], request: "/bar" },
  { kind: "Exact", paths: ["/foo"], request: "/foo/" },
  { kind: "Exact", paths: ["/foo/"], request: "/foo" },
  { kind: "Prefix", paths: ["/foo"], request: "/foo", matches: "/foo" },
  { kind: "Prefix", paths: ["/foo"], request: "/foo/", matches: "/foo" },
  { kind: "Prefix", paths: ["/foo/"], request: "/foo", matches: "/foo/" },
  { kind: "Prefix", paths: ["/foo/"], request: "/foo/", matches: "/foo/" },
  { kind: "Prefix", paths: ["/aaa/bb"], request: "/aaa/bbb" },
  { kind: "Prefix", paths: ["/aaa/bbb"], request: "/aaa/bbb", matches: "/aaa/bbb" },
  { kind: "Prefix", paths: ["/aaa/bbb/"], request: "/aaa/bbb", matches: "/aaa/bbb/" },
  { kind: "Prefix", paths: ["/aaa/bbb"], request: "/aaa/bbb/", matches: "/aaa/bbb" },
  { kind: "Prefix", paths: ["/aaa/bbb"], request: "/aaa/bbb/ccc", matches: "/aaa/bbb" },
  { kind: "Prefix", paths: ["/aaa/bbb"], request: "/aaa/bbbxyz" },
  { kind: "Prefix", paths: ["/", "/aaa"], request: "/aaa/ccc", matches: "/aaa" },
  { kind: "Prefix", paths: ["/", "/aaa", "/aaa/bbb"], request: "/aaa/bbb", matches: "/aaa/bbb" },
  { kind: "Prefix", paths: ["/", "/aaa", "/aaa/bbb"], request: "/ccc", matches: "/" },
  { kind: "Prefix", paths: ["/aaa"], request: "/ccc" },
  { kind: "Prefix", paths: ["/foo"], request: "/Foo" },
  { kind: "Prefix", paths: ["/foo"], request: "/foo?x=/bar", matches: "/foo" },
  { kind: "ImplementationSpecific", paths: ["/foo"], request: "/foo/bar", matches: "/foo" },
];

async function startPods(t: TestContext, names: readonly string[]) {
  const pods: Backend[] = [];
  for (const name of names) pods.push(await startBackend(t, name));
  const objects = pods.flatMap(({ name, port }) => [makeService(name), ...makeEndpoints(name, [port])]);
  return { pods, objects };
}

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });

function makeRules(name: string, spec: Record<string, unknown>, annotations = {}): Manifest {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, annotations },
    spec: { ingressClassName: "evener", ...spec },
  };
}

const rule = (host: string | undefined, paths: readonly (readonly [PathType, string, string])[]) => ({
  ...(host === undefined ? {} : { host }),
  http: { paths: paths.map(([pathType, path, service]) => ({ pathType, path, backend: backend(service) })) },
});

/** Both ports have to say the same. */
async function ask(evener: Evener, host: string, path: string): Promise<string> {
  const plain = await fetchBody("http", host, evener.httpPort, path);
  const secure = await fetchBody("https", host, evener.httpsPort, path);
  assert.deepEqual(plain, secure, `${host}${path}: http and https differ`);
  return plain;
}

test("paths: every row of the specification's table, and the one Exact before Prefix", async (t) => {
  const names = ["p0", "p1", "p2", "fallback"];
  const { objects } = await startPods(t, names);
  const ingresses = ROWS.map(({ kind, paths }, i) =>
    makeRules(`row-${i}`, {
      rules: [
        rule(
          `row${i}.example`,
          paths.map((path, k) => [kind, path, `p${k}`] as const),
        ),
      ],
    }),
  );
  const both = makeRules("both", {
    rules: [
      rule("both.example", [
        ["Prefix", "/foo", "p0"],
        ["Exact", "/foo", "p1"],
        ["Prefix", "/foo/bar", "p2"],
      ]),
    ],
  });
  const fallback = makeRules("fallback", { defaultBackend: backend("fallback") });
  const evener = await Evener.start(t, { pods: objects, ingresses: [...ingresses, both, fallback] });
  for (const [i, { paths, request, matches }] of ROWS.entries()) {
    const wanted = matches === undefined ? "fallback" : `p${paths.indexOf(matches)}`;
    assert.equal(await ask(evener, `row${i}.example`, request), wanted, JSON.stringify(ROWS[i]));
  }
  assert.equal(await ask(evener, "both.example", "/foo"), "p1");
  assert.equal(await ask(evener, "both.example", "/foo/"), "p0");
  assert.equal(await ask(evener, "both.example", "/foo/bar"), "p2");
});

test("hosts: exact, wildcard for one label, rules without host, default backend, none", async (t) => {
  const { objects } = await startPods(t, ["exact", "wild", "any", "fallback"]);
  const rules = [
    rule("bar.foo.com", [["Prefix", "/", "exact"]]),
    rule("*.foo.com", [["Prefix", "/", "wild"]]),
    rule(undefined, [["Prefix", "/any", "any"]]),
  ];
  const hosts = makeRules("hosts", { rules });
  const evener = await Evener.start(t, { pods: objects, hosts: [hosts] });
  const cases = [
    ["bar.foo.com", "/", "exact"],
    ["BAR.foo.com", "/", "exact"],
    ["baz.foo.com", "/", "wild"],
    ["baz.bar.foo.com", "/any", "any"],
    ["foo.com", "/any/thing", "any"],
    ["foo.com", "/", "404 Not Found"],
  ] as const;
  for (const [host, path, wanted] of cases) assert.equal(await ask(evener, host, path), wanted, host + path);
  await evener.put("fallback", [makeRules("fallback", { defaultBackend: backend("fallback") })]);
  await evener.waitLog(
    "the default backend",
    ({ msg, child }) => msg === "configuration live" && child === "balance",
    evener.log.length,
  );
  assert.equal(await ask(evener, "foo.com", "/"), "fallback");
  assert.equal(await ask(evener, "baz.foo.com", "/"), "wild");
});

test("classes: ours by name or annotation, others are left alone; several Ingresses make one host", async (t) => {
  const { objects } = await startPods(t, ["one", "two", "other"]);
  const evener = await Evener.start(t, {
    pods: objects,
    ingresses: [
      makeRules("a", { rules: [rule("m.example", [["Prefix", "/", "one"]])] }),
      makeRules("b", { rules: [rule("m.example", [["Prefix", "/two", "two"]])] }),
      makeRules(
        "legacy",
        { ingressClassName: undefined, rules: [rule("legacy.example", [["Prefix", "/", "two"]])] },
        { "kubernetes.io/ingress.class": "evener" },
      ),
      makeRules("foreign", {
        ingressClassName: "nginx",
        rules: [
          rule("m.example", [["Prefix", "/x", "other"]]),
          rule("f.example", [["Prefix", "/", "other"]]),
        ],
      }),
    ],
  });
  assert.equal(await ask(evener, "m.example", "/"), "one");
  assert.equal(await ask(evener, "m.example", "/two/x"), "two");
  assert.equal(await ask(evener, "m.example", "/x"), "one");
  assert.equal(await ask(evener, "legacy.example", "/"), "two");
  assert.equal(await ask(evener, "f.example", "/"), "404 Not Found");
});
