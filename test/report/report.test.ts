// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { BalanceClient } from "../../src/balance-client/client.ts";
import type { BalancePool, BalanceStatus } from "../../src/balance-client/types.ts";
import type { Problem } from "../../src/model/types.ts";
import { BalanceCollector } from "../../src/report/collect-balance.ts";
import { Deltas } from "../../src/report/deltas.ts";
import { type HealthDependencies, startHealthServer } from "../../src/report/health-server.ts";
import { createLogger, formatRef } from "../../src/report/log.ts";
import { createMetrics, recordCertificates, recordProblems } from "../../src/report/metrics.ts";
import { ProblemTracker } from "../../src/report/problems.ts";

function makeProblem(name: string, reason = "MissingSecret", message = "is not there"): Problem {
  const ref = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", namespace: "shop", name };
  return { ref, severity: "error", reason, message };
}

test("a problem is told when it comes and when it goes, not in between", () => {
  const tracker = new ProblemTracker();
  const [a, b] = [makeProblem("a"), makeProblem("b")];
  assert.deepEqual(tracker.update([a]), { appeared: [a], vanished: [] });
  assert.deepEqual(tracker.update([makeProblem("a"), b]), { appeared: [b], vanished: [] });
  assert.deepEqual(tracker.update([b]), { appeared: [], vanished: [a] });
  const other = makeProblem("b", "MissingSecret", "is not there either");
  assert.deepEqual(tracker.update([other]), { appeared: [other], vanished: [b] });
  assert.deepEqual(tracker.current, [other]);
});

describe("the log", () => {
  test("is JSON with a level by name, and hides what may hold a key", () => {
    const lines: string[] = [];
    const log = createLogger({
      level: "info",
      format: "json",
      destination: { write: (line) => lines.push(line) },
    });
    const secret = { data: { "tls.key": "KEY" }, pem: "KEY" };
    log.info({ object: formatRef(makeProblem("a").ref), secret }, "hello");
    log.debug("not shown");
    assert.equal(lines.length, 1);
    const record = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    assert.deepEqual([record.level, record.msg, record.object], ["info", "hello", "Ingress shop/a"]);
    assert.ok(!lines.join("").includes("KEY"));
  });

  test("as text is a line for people", () => {
    const lines: string[] = [];
    const log = createLogger({
      level: "info",
      format: "text",
      destination: { write: (line) => lines.push(line) },
    });
    log.warn({ child: "hitch", object: "Ingress a/b" }, "problem: it\nbroke\x1b\x7f");
    assert.match(
      lines.join(""),
      /^\S+Z WARN {2}problem: it\\nbroke\\u001b\\u007f child=hitch object="Ingress a\/b"\n$/,
    );
  });
});

test("Deltas count growth over restarts, and forget what is gone", () => {
  const deltas = new Deltas();
  const round = (values: Record<string, number>) => {
    const grown = Object.entries(values).map(([key, value]) => deltas.grow(key, value));
    deltas.finish();
    return grown;
  };
  assert.deepEqual(round({ a: 5, b: 1 }), [5, 1]);
  assert.deepEqual(round({ a: 7, b: 1 }), [2, 0]);
  assert.deepEqual(round({ a: 3 }), [3]);
  assert.deepEqual(round({ a: 3, b: 4 }), [0, 4]);
});

describe("metrics", () => {
  test("Balance's counters become ours, and go on when Balance starts anew", async () => {
    const metrics = createMetrics("1.2.3");
    let factor = 1;
    const client: Partial<BalanceClient> = {
      status: async () =>
        ({
          listeners: [
            {
              name: "https",
              address: "",
              accepted: 10 * factor,
              active: 2,
              proxy_errors: 0,
              no_route: 1,
              no_channel: 0,
            },
          ],
        }) as unknown as BalanceStatus,
      pools: async () => [
        {
          pool: "shop/web:80",
          places: 3,
          queued: 5,
          limited: 8 * factor,
          queue_timeouts: 2 * factor,
          groups: [
            {
              mode: "rr",
              channels: [
                {
                  channel: "10.0.0.1:80",
                  max: 0,
                  active: 1,
                  total: 9,
                  failed: 3 * factor,
                  bytes_in: 100 * factor,
                  bytes_out: 7,
                  requests: 6 * factor,
                },
              ],
            },
          ],
          http: { "2xx": 4 * factor, "5xx": 2, active: 3, microseconds: 9 },
        } satisfies BalancePool,
      ],
      http: async () => ({
        codes: { "200": 4 * factor, "404": 1 },
        duration: {
          buckets: [
            [0.005, 2 * factor],
            [1, 2 * factor],
            [null, 2],
          ],
          sum: 8 * factor,
          count: 4 * factor + 2,
        },
      }),
    };
    const collector = new BalanceCollector(metrics, client as BalanceClient);
    await Promise.all([collector.collect(), collector.collect()]);
    const text = await metrics.registry.metrics();
    for (const line of [
      `evener_build_info{version="1.2.3",node="${process.version}"} 1`,
      'evener_connections_active{listener="https"} 2',
      'evener_connections_total{listener="https"} 10',
      'evener_connections_refused_total{listener="https",reason="no_route"} 1',
      'evener_bytes_total{direction="in"} 100',
      'evener_bytes_total{direction="out"} 7',
      'evener_endpoint_connect_failures_total{pool="shop/web:80",endpoint="10.0.0.1:80"} 3',
      'evener_endpoint_requests_total{pool="shop/web:80",endpoint="10.0.0.1:80"} 6',
      'evener_pool_http_responses_total{pool="shop/web:80",class="2xx"} 4',
      'evener_pool_queued{pool="shop/web:80"} 5',
      'evener_pool_refused_total{pool="shop/web:80",reason="limit"} 8',
      'evener_pool_refused_total{pool="shop/web:80",reason="timeout"} 2',
      'evener_http_requests_total{code="200"} 4',
      'evener_http_requests_total{code="404"} 1',
      "# TYPE evener_http_request_duration_seconds histogram",
      'evener_http_request_duration_seconds_bucket{le="0.005"} 2',
      'evener_http_request_duration_seconds_bucket{le="1"} 4',
      'evener_http_request_duration_seconds_bucket{le="+Inf"} 6',
      "evener_http_request_duration_seconds_sum 8",
      "evener_http_request_duration_seconds_count 6",
    ]) {
      assert.ok(text.split("\n").includes(line), `${line} in:\n${text}`);
    }
    assert.doesNotMatch(text, /class="(?:active|microseconds)"/);
    factor = 0.5;
    await collector.collect();
    const later = await metrics.registry.metrics();
    assert.match(later, /^evener_connections_total\{listener="https"\} 15$/m);
    assert.match(later, /^evener_http_requests_total\{code="200"\} 6$/m);
    assert.match(later, /^evener_http_request_duration_seconds_bucket\{le="1"\} 6$/m);
  });

  test("an endpoint is up until all that was tried since the last look failed", async () => {
    const metrics = createMetrics("1");
    const counts = { total: 0, failed: 0 };
    const channel = { channel: "10.0.0.1:80", max: 0, active: 0, bytes_in: 0, bytes_out: 0 };
    const client: Partial<BalanceClient> = {
      status: async () => ({ listeners: [] }) as unknown as BalanceStatus,
      pools: async () => [
        { pool: "shop/web:80", groups: [{ mode: "rr", channels: [{ ...channel, ...counts }] }] },
      ],
      http: async () => ({ codes: {}, duration: { buckets: [], sum: 0, count: 0 } }),
    };
    const collector = new BalanceCollector(metrics, client as BalanceClient);
    const look = async (total: number, failed: number) => {
      Object.assign(counts, { total, failed });
      await collector.collect();
      const line = /^evener_endpoint_up\{.*\} (\d)$/m.exec(await metrics.registry.metrics());
      return Number(line?.[1]);
    };
    assert.equal(await look(0, 0), 1);
    assert.equal(await look(3, 1), 1);
    assert.equal(await look(3, 2), 0);
    // Nobody has tried it since.
    assert.equal(await look(3, 2), 0);
    assert.equal(await look(4, 2), 1);
  });

  test("problems and certificates are those of now", async () => {
    const metrics = createMetrics("1");
    recordProblems(metrics, [makeProblem("a"), makeProblem("b"), makeProblem("c", "Other")]);
    recordProblems(metrics, [makeProblem("a"), makeProblem("b")]);
    const source = { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "tls" };
    recordCertificates(metrics, [
      { id: "ff", pem: "KEY", hosts: ["a.example"], notAfter: "1970-01-02T00:00:00Z", source },
    ]);
    const text = await metrics.registry.metrics();
    assert.match(text, /^evener_problems\{kind="Ingress",reason="MissingSecret"\} 2$/m);
    assert.doesNotMatch(text, /reason="Other"/);
    assert.match(
      text,
      /^evener_ssl_expire_time_seconds\{host="a.example",namespace="shop",secret_name="tls"\} 86400$/m,
    );
    assert.ok(!text.includes("KEY"));
  });
});

describe("the health port", () => {
  const open = async (t: { after(f: () => Promise<void>): void }, more: Partial<HealthDependencies> = {}) => {
    const server = await startHealthServer(0, {
      missing: () => [],
      broken: () => [],
      metrics: async () => ({ type: "text/plain", text: "m 1\n" }),
      config: () => ({ "hitch.conf": "workers = 1\n" }),
      model: () => ({ ir: {} }),
      ...more,
    });
    t.after(() => server.stop());
    return async (path: string, method = "GET") => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      return { status: response.status, text: await response.text() };
    };
  };

  test("says what is missing", async (t) => {
    const missing = ["hitch is starting"];
    const get = await open(t, { missing: () => missing });
    assert.deepEqual(await get("/readyz"), { status: 503, text: "not ready:\n- hitch is starting\n" });
    assert.equal((await get("/healthz")).status, 200);
    missing.length = 0;
    assert.deepEqual(await get("/readyz"), { status: 200, text: "ready\n" });
  });

  test("has metrics, debug pages, and nothing else", async (t) => {
    const get = await open(t);
    assert.equal((await get("/metrics")).text, "m 1\n");
    assert.equal((await get("/debug/config")).text, "==> hitch.conf <==\nworkers = 1\n");
    assert.deepEqual(JSON.parse((await get("/debug/model")).text), { ir: {} });
    assert.equal((await get("/../etc/passwd")).status, 404);
    assert.equal((await get("//")).status, 404);
    assert.equal((await get("/readyz", "POST")).status, 405);
    assert.equal((await get("/readyz", "HEAD")).text, "");
  });

  test("an error in a page is that page's", async (t) => {
    const get = await open(t, { metrics: () => Promise.reject(new Error("no")) });
    assert.equal((await get("/metrics")).status, 500);
    assert.equal((await get("/readyz")).status, 200);
  });

  test("a port that is taken is named", async (t) => {
    const other = createServer().listen(0);
    await once(other, "listening");
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    await assert.rejects(
      startHealthServer(port, {} as HealthDependencies),
      new RegExp(`health port ${port} can't be opened.*EADDRINUSE`),
    );
  });
});
