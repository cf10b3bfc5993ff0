// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Ingress } from "@kubernetes/client-node";
import { DEFAULT_OPTIONS } from "../../src/model/annotations/options.ts";
import { readAnnotations } from "../../src/model/annotations/read-annotations.ts";
import { readServiceAnnotations } from "../../src/model/annotations/read-service-annotations.ts";
import { SECTIONS } from "../../src/model/annotations/reference.ts";
import { ANNOTATIONS, BY_NAME } from "../../src/model/annotations/table.ts";
import { UNSUPPORTED } from "../../src/model/annotations/unsupported.ts";
import { collectProblems } from "../../src/model/problems.ts";
import { HOSTILE } from "../helpers/hostile.ts";

function read(annotations: Record<string, string>) {
  const { report, sorted } = collectProblems();
  const ingress: V1Ingress = { metadata: { namespace: "shop", name: "web", annotations } };
  const ref = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", namespace: "shop", name: "web" };
  const options = readAnnotations(ingress, ref, report);
  return { options, reasons: sorted().map((problem) => problem.reason), problems: sorted() };
}

describe("the table of annotations", () => {
  test("has a type, a doc line and a name of its own for each", () => {
    const names = Object.values(ANNOTATIONS).map((spec) => spec.name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, type, doc } of Object.values(ANNOTATIONS)) {
      assert.match(name, /^[a-z0-9-]+$/);
      assert.ok(type !== "" && doc !== "", name);
    }
  });

  test("is in the reference as a whole, each annotation once", () => {
    const listed = SECTIONS.flatMap(([, family]) => Object.values(family).map(({ name }) => name));
    assert.deepEqual(
      listed.sort(),
      Object.values(ANNOTATIONS)
        .map(({ name }) => name)
        .sort(),
    );
  });

  test("names nothing that is also listed as not supported", () => {
    for (const { name, alias } of Object.values(ANNOTATIONS) as { name: string; alias?: string }[]) {
      assert.ok(!UNSUPPORTED.has(name) && !UNSUPPORTED.has(alias ?? ""), name);
    }
    assert.ok(UNSUPPORTED.size > 100);
  });
});

describe("values", () => {
  const good: readonly (readonly [name: string, text: string, key: string, value: unknown])[] = [
    ["lane", "TCP", "lane", "tcp"],
    ["ssl-redirect", "False", "sslRedirect", false],
    ["ssl-redirect", " 0 ", "sslRedirect", false],
    ["force-ssl-redirect", "true", "forceSslRedirect", true],
    [
      "permanent-redirect",
      "http://a.example:8080",
      "redirect",
      { code: 301, location: "http://a.example:8080" },
    ],
    ["permanent-redirect", "/%C3%A9?a=/?#f/?", "redirect", { code: 301, location: "/%C3%A9?a=/?#f/?" }],
    ["temporal-redirect", "/", "redirect", { code: 302, location: "/" }],
    ["app-root", "/app/?tab=1", "appRoot", "/app/?tab=1"],
    ["rewrite-target", "/%7ea", "rewrite", "/~a"],
    ["allowlist-source-range", "192.0.2.1/24", "allow", ["192.0.2.0/24"]],
    ["denylist-source-range", "::1,0.0.0.0/0", "deny", ["0.0.0.0/0", "::1"]],
    ["limit-connections", "1000000", "limitConnections", 1_000_000],
    ["proxy-body-size", "1g", "maxBodyBytes", 2 ** 30],
    ["proxy-body-size", "100", "maxBodyBytes", 100],
    ["proxy-connect-timeout", "3600s", "backend", { connectSeconds: 3600 }],
    ["proxy-read-timeout", "1", "backend", { responseSeconds: 1 }],
    ["load-balance", "Least_Conn", "backend", { strategy: "least-connections" }],
    ["balance-algorithm", "random", "backend", { strategy: "power-of-two" }],
    ["upstream-hash-by", `$\{remote_addr}`, "backend", { strategy: "source-hash" }],
    ["slow-start", "3600", "backend", { slowStartSeconds: 3600 }],
    ["idle-timeout", "0", "backend", { idleSeconds: 0 }],
    ["maxconn", "1000000", "backend", { maxConnections: 1_000_000 }],
    ["maxconn-server", "0", "backend", { maxConnectionsPerEndpoint: 0 }],
    ["maxconn-client", "1", "backend", { maxConnectionsPerClient: 1 }],
    ["queue", "2", "backend", { queue: 2 }],
    ["timeout-queue", "3s", "backend", { queueSeconds: 3 }],
    ["proxy-protocol", "V2-SSL", "backend", { sendProxy: "v2-ssl" }],
    ["max-fails", "0", "backend", { ejection: { failures: 0 } }],
    ["fail-timeout", "1", "backend", { ejection: { baseSeconds: 1 } }],
    ["fail-timeout-max", "86400", "backend", { ejection: { maxSeconds: 86_400 } }],
    ["health-check", "none", "backend", { check: undefined }],
    ["health-check", "tcp", "backend", { check: { kind: "tcp" } }],
    ["health-check", "http", "backend", { check: { kind: "http", path: "/" } }],
    ["health-check-uri", "/up%2C", "backend", { check: { kind: "http", path: "/up%2C" } }],
    ["health-check-fall-count", "100", "backend", { checkTiming: { fall: 100 } }],
    [
      "backup-service",
      "b:80,c:http",
      "backend",
      {
        backups: [
          { service: "b", port: 80 },
          { service: "c", port: "http" },
        ],
      },
    ],
    ["prefer-zone", "1", "backend", { preferZone: true }],
    ["service-upstream", "true", "backend", { clusterIp: true }],
  ];
  for (const [name, text, key, value] of good) {
    test(`${name}: ${text}`, () => {
      const { options, reasons } = read({ [`evener.io/${name}`]: text });
      assert.deepEqual(reasons, []);
      assert.deepEqual(options, { ...DEFAULT_OPTIONS, [key]: value });
    });
  }

  const bad: readonly (readonly [name: string, ...texts: string[]])[] = [
    ["ssl-redirect", "maybe"],
    [
      "permanent-redirect",
      "ftp://a.example/",
      "https://",
      "https:///x",
      "https://a.example/a b",
      "a.example",
    ],
    [
      "permanent-redirect",
      "//a.example",
      "https://a.example\\@b",
      "https://a.example/%zz",
      "/x#a#b",
      "https://-",
    ],
    [
      "permanent-redirect",
      `/${"x".repeat(2048)}`,
      "https://a.example/{x}",
      "https://[::1",
      "https://a.example:x",
    ],
    ["permanent-redirect-code", "300", "200", "3010"],
    ["temporal-redirect", "https://$host/"],
    ["app-root", "https://a.example/", "app", "/?x", "/#x"],
    ["rewrite-target", "/$1", "https://a.example/", "/a?b", "//x", "/%00", "/./x"],
    ["allowlist-source-range", "10.0.0.0/8;", "10.0.0.0/", "10.0.0/8", "::1%eth0", "010.0.0.1", "1.2.3.4/-1"],
    ["allowlist-source-range", new Array(1001).fill("10.0.0.1").join(",")],
    ["limit-connections", "1000001", "1.5", "0x10"],
    ["proxy-body-size", "1t", "k", "1 k", "-1", "9999999999999999"],
    ["proxy-connect-timeout", "0", "3601", "5m"],
    ["proxy-read-timeout", "86401"],
    ["backend-protocol", "HTTPS", "GRPC", "GRPCS", "FCGI", "AUTO_HTTP"],
    ["lane", "udp"],
    ["load-balance", "roundrobin", "constructor", "ip-hash", "least_time"],
    ["balance-algorithm", "random(0x2)", "toString", "leastconn weighted"],
    ["backup-service", "b", "b:", ":80", "b:80,", "b:65536", "b:80:1", "B:80", "a/b:80", "b:80 c:80"],
    ["health-check-path", "up", "/a,b", "/a b", "/a?b", "/%0", `/${"x".repeat(1024)}`],
    ["health-check-host", "*.a.example", "10.0.0.1", "a.example:80", "a_b"],
    ["service-upstream", "yes"],
    ["proxy-protocol", "v2-ssl-cn", "true"],
  ];
  for (const [name, ...texts] of bad) {
    test(`${name} refuses ${texts.join("  ").slice(0, 80)}`, () => {
      const spec = BY_NAME.get(`evener.io/${name}`)?.spec;
      const fate = { ignore: "served", refuse: "refused", close: "closed" }[spec?.onFault ?? "ignore"];
      for (const text of texts) {
        const { options, reasons } = read({ [`evener.io/${name}`]: text });
        assert.match(reasons.join(), /^(AnnotationInvalid|BackendProtocolNotSupported)$/, text);
        assert.deepEqual({ ...options, fate: "served" }, DEFAULT_OPTIONS, text);
        assert.equal(options.fate, fate, text);
      }
    });
  }

  test("nothing hostile passes, under any name", () => {
    for (const name of BY_NAME.keys()) {
      for (const [what, text] of Object.entries(HOSTILE)) {
        const { options, reasons } = read({ [name]: text });
        assert.ok(reasons.length > 0, `${name}: ${what}`);
        assert.deepEqual({ ...options, fate: "served" }, DEFAULT_OPTIONS, `${name}: ${what}`);
      }
    }
  });

  test("time to refuse does not grow with cleverness", () => {
    const start = performance.now();
    for (const text of [`https://${"a.".repeat(1000)}!`, `/${"%41".repeat(680)}%`, "1".repeat(100_000)]) {
      for (const name of BY_NAME.keys()) read({ [name]: text });
    }
    assert.ok(performance.now() - start < 1000);
  });
});

describe("a Service's annotations", () => {
  const readService = (annotations: Record<string, string>) => {
    const { report, sorted } = collectProblems();
    const ref = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "web" };
    const layer = readServiceAnnotations({ metadata: { annotations } }, ref, report);
    return { layer, reasons: sorted().map((problem) => problem.reason), problems: sorted() };
  };

  test("say the same as an Ingress's, for all that is about pools", () => {
    for (const { name, scope } of Object.values(ANNOTATIONS) as { name: string; scope?: string }[]) {
      for (const text of ["1", "tcp", "first", "/x", "v1", "b:80", "source", "a.example", "true"]) {
        const given = { [`evener.io/${name}`]: text };
        const expected = scope === "backend" ? read(given).options.backend : {};
        assert.deepEqual(readService(given).layer, expected, `${name}: ${text}`);
      }
    }
  });

  test("of ingress-nginx are none", () => {
    const { layer, reasons } = readService({ "nginx.ingress.kubernetes.io/load-balance": "least_conn" });
    assert.deepEqual({ layer, reasons }, { layer: {}, reasons: [] });
  });

  test("let nothing hostile pass", () => {
    for (const name of BY_NAME.keys()) {
      if (!name.startsWith("evener.io/")) continue;
      for (const [what, text] of Object.entries(HOSTILE)) {
        const { layer, problems } = readService({ [name]: text });
        assert.deepEqual(layer, {}, `${name}: ${what}`);
        assert.deepEqual(
          problems.map(({ severity }) => severity),
          ["warning"],
          `${name}: ${what}`,
        );
      }
    }
  });
});

describe("which spelling is taken", () => {
  const ranges = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] as const;
  const spellings = [
    "evener.io/allowlist-source-range",
    "evener.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "nginx.ingress.kubernetes.io/whitelist-source-range",
  ];
  for (const [i, name] of spellings.entries()) {
    test(`${name} before those after it`, () => {
      const given = Object.fromEntries(
        spellings
          .map((spelling, k) => [spelling, ranges[k] ?? ""])
          .slice(i)
          .reverse(),
      );
      assert.deepEqual(read(given).options.allow, [ranges[i]]);
    });
  }
});
