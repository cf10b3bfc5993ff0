// SPDX-License-Identifier: Apache-2.0
// Which pool serves which host and path: the tables of the Kubernetes Ingress specification, and what they leave open.
import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane, startNamed } from "./http-lib/lane.ts";
import { get, RawClient } from "./http-lib/raw-client.ts";

const NONE = "404";

/** Asks for each [host, path] and compares who answered. */
async function route(t: TestContext, rules: string, rows: [host: string, path: string, who: string][]) {
  const names = [...new Set([...rules.matchAll(/ (p-[a-z0-9-]+)/g)].map((m) => m[1] ?? ""))];
  const pools = await startNamed(t, names);
  const lane = await startLane(t, `${pools}${rules}`);
  for (const [host, path, who] of rows) {
    const answer = await lane.get(path, host);
    const got = answer.status === 200 ? answer.body.toString() : String(answer.status);
    assert.equal(got, who, `${host} ${path}`);
  }
}

/** One rule of the specification's table of paths; the answer says whether it matched. */
interface PathRow {
  rules: string[];
  asked: string;
  who: string;
}

// https://kubernetes.io/docs/concepts/services-networking/ingress/#examples
const specification: PathRow[] = [
  { rules: ["prefix /"], asked: "/any/path", who: "0" },
  { rules: ["exact /foo"], asked: "/foo", who: "0" },
  { rules: ["exact /foo"], asked: "/bar", who: NONE },
  { rules: ["exact /foo"], asked: "/foo/", who: NONE },
  { rules: ["exact /foo/"], asked: "/foo", who: NONE },
  { rules: ["prefix /foo"], asked: "/foo", who: "0" },
  { rules: ["prefix /foo"], asked: "/foo/", who: "0" },
  { rules: ["prefix /foo/"], asked: "/foo", who: "0" },
  { rules: ["prefix /foo/"], asked: "/foo/", who: "0" },
  { rules: ["prefix /aaa/bb"], asked: "/aaa/bbb", who: NONE },
  { rules: ["prefix /aaa/bbb"], asked: "/aaa/bbb", who: "0" },
  { rules: ["prefix /aaa/bbb/"], asked: "/aaa/bbb", who: "0" },
  { rules: ["prefix /aaa/bbb"], asked: "/aaa/bbb/", who: "0" },
  { rules: ["prefix /aaa/bbb"], asked: "/aaa/bbb/ccc", who: "0" },
  { rules: ["prefix /aaa/bbb"], asked: "/aaa/bbbxyz", who: NONE },
  { rules: ["prefix /", "prefix /aaa"], asked: "/aaa/ccc", who: "1" },
  { rules: ["prefix /", "prefix /aaa", "prefix /aaa/bbb"], asked: "/aaa/bbb", who: "2" },
  { rules: ["prefix /", "prefix /aaa", "prefix /aaa/bbb"], asked: "/ccc", who: "0" },
  { rules: ["prefix /aaa"], asked: "/ccc", who: NONE },
  { rules: ["prefix /foo", "exact /foo"], asked: "/foo", who: "1" },
];

suite("routes of the HTTP lane", { skip: skipWithoutBalance() }, () => {
  test("paths of the specification", async (t) => {
    const lines = specification.flatMap((row, i) =>
      row.rules.map((rule, n) => `rule main h${i}.example ${rule} p-${n}\n`),
    );
    await route(
      t,
      lines.join(""),
      specification.map(({ asked, who }, i) => [`h${i}.example`, asked, who === NONE ? NONE : `p-${who}`]),
    );
  });

  test("paths are compared in their normal form and with case", async (t) => {
    await route(t, "rule main a.example prefix /admin p-admin\nrule main a.example prefix / p-open\n", [
      ["a.example", "/admin", "p-admin"],
      ["a.example", "/admin?x", "p-admin"],
      ["a.example", "/ADMIN", "p-open"],
      ["a.example", "/x/../admin", "p-admin"],
      ["a.example", "/./admin/", "p-admin"],
      ["a.example", "/%61dmin", "p-admin"],
      ["a.example", "/%2e/admin", "p-admin"],
      ["a.example", "/x/%2E%2e/admin", "p-admin"],
      ["a.example", "/admin%2fx", "p-open"],
      ["a.example", "/admin/../x", "p-open"],
      ["a.example", "/?/admin", "p-open"],
      ["a.example", "http://a.example/admin", "p-admin"],
    ]);
  });

  test("hosts: exact, wildcard for one label, any; without case, port and final dot", async (t) => {
    const rules =
      "rule main foo.example prefix / p-foo\nrule main *.foo.example prefix / p-wild\n" +
      "rule main bar.foo.example prefix / p-bar\nrule main * prefix / p-any\n";
    await route(t, rules, [
      ["foo.example", "/", "p-foo"],
      ["FOO.Example", "/", "p-foo"],
      ["foo.example:8080", "/", "p-foo"],
      ["foo.example.", "/", "p-foo"],
      ["foo.example.:80", "/", "p-foo"],
      ["bar.foo.example", "/", "p-bar"],
      ["x.foo.example", "/", "p-wild"],
      ["X.FOO.example:1", "/", "p-wild"],
      ["x.y.foo.example", "/", "p-any"],
      [".foo.example", "/", "p-any"],
      ["other.example", "/", "p-any"],
      ["192.0.2.1", "/", "p-any"],
      ["[::1]:80", "/", "p-any"],
      ["", "/", "p-any"],
    ]);
  });

  test("the best host has the say, even where it has no rule for the path", async (t) => {
    const rules =
      "rule main a.example prefix /only p-a\nrule main *.example prefix / p-wild\n" +
      "rule main * prefix / p-any\ndefault main p-default\n";
    await route(t, rules, [
      ["a.example", "/only", "p-a"],
      ["a.example", "/else", "p-default"],
      ["b.example", "/else", "p-wild"],
      ["c.test", "/", "p-any"],
    ]);
  });

  test("the default answers what no rule matches, 404 without one", async (t) => {
    await route(t, "rule main a.example exact /x p-a\ndefault main p-default\n", [
      ["a.example", "/y", "p-default"],
      ["b.example", "/x", "p-default"],
    ]);
    await route(t, "rule main a.example exact /x p-a\n", [
      ["a.example", "/y", NONE],
      ["b.example", "/x", NONE],
    ]);
  });

  test("503 with Retry-After from a pool without channels; the connection goes on", async (t) => {
    const pools = await startNamed(t, ["p-good"]);
    const lane = await startLane(
      t,
      `${pools}pool p-none\nrule main a.example prefix / p-none\nrule main b.example prefix / p-good\n`,
    );
    const client = await RawClient.open(lane.port);
    const none = await client.request(get("/"));
    assert.equal(none.status, 503);
    assert.match(none.fields.get("retry-after") ?? "", /^\d+$/);
    assert.equal((await client.request(get("/", "b.example"))).body.toString(), "p-good");
    assert.equal((await client.request(get("/", "c.example"))).status, 404);
    assert.equal((await client.request(get("/", "b.example"))).body.toString(), "p-good");
    client.close();
  });

  test("requests on one connection go to their own pools", async (t) => {
    const names = ["p-0", "p-1", "p-2"];
    const pools = await startNamed(t, names);
    const rules = names.map((n, i) => `rule main a.example prefix /${i} ${n}\n`).join("");
    const lane = await startLane(t, `${pools}${rules}`);
    const client = await RawClient.open(lane.port);
    const order = Array.from({ length: 60 }, (_, i) => (i * 7) % 3);
    client.send(order.map((n) => get(`/${n}`)).join(""));
    for (const n of order) assert.equal((await client.answer()).body.toString(), `p-${n}`);
    client.close();
  });

  test("10,000 hosts and 1,000 paths", async (t) => {
    const pools = await startNamed(t, ["p-a", "p-b", "p-c"]);
    const hosts = Array.from({ length: 10_000 }, (_, i) => `rule main h${i}.example prefix / p-a\n`);
    const paths = Array.from({ length: 1000 }, (_, i) => `rule main paths.example prefix /a/${i}/x p-b\n`);
    const lane = await startLane(t, `${pools}${hosts.join("")}${paths.join("")}default main p-c\n`);
    const client = await RawClient.open(lane.port);
    for (const n of [0, 1, 999, 5000, 9999])
      assert.equal((await client.request(get("/deep/path", `h${n}.example`))).body.toString(), "p-a");
    for (const n of [0, 500, 999])
      assert.equal((await client.request(get(`/a/${n}/x/y`, "paths.example"))).body.toString(), "p-b");
    assert.equal((await client.request(get("/a/1000/x", "paths.example"))).body.toString(), "p-c");
    assert.equal((await client.request(get("/", "h10000.example"))).body.toString(), "p-c");
    client.close();
  });

  test("a rule that no request can match is refused by name", async (t) => {
    const pools = await startNamed(t, ["p-a"]);
    const lane = await startLane(t, `${pools}default main p-a\n`);
    for (const path of ["/a?b", "/a[b]", '/a"b', "/a{b}", "relative", "/a\\b"]) {
      const bad = `${pools}rule main a.example prefix ${path} p-a\n`;
      await assert.rejects(lane.balance.load(lane.conf(bad)), (e: Error) => e.message.includes(path));
    }
    assert.equal((await lane.get("/")).status, 200);
  });
});
