// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Command } from "commander";
import { addRunOptions, type RunSettings, SettingsError, toRunSettings } from "../../src/cli/settings.ts";

function parse(...argv: string[]): RunSettings {
  const command = addRunOptions(new Command("run"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(argv, { from: "user" });
  return toRunSettings(command);
}

describe("settings", () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const key of Object.keys(process.env)) if (key.startsWith("EVENER_")) delete process.env[key];
    Object.assign(process.env, before);
  });

  test("defaults", () => {
    const settings = parse();
    assert.deepEqual(settings.source, { kind: "kube" });
    assert.equal(settings.healthzPort, 10254);
    assert.equal(settings.reloadIntervalMs, 1000);
    assert.equal(settings.model.ingressClass, "evener");
    assert.equal(settings.model.controllerClass, "evener.io/ingress-controller");
    assert.equal(settings.model.httpPort, 8080);
    assert.equal(settings.model.httpsPort, 8443);
    assert.equal(settings.model.runDir, "/run/evener");
    assert.deepEqual(settings.model.watchNamespaces, []);
    assert.equal(settings.model.watchIngressWithoutClass, false);
    assert.deepEqual(settings.model.http, {
      headTimeoutSeconds: 30,
      idleTimeoutSeconds: 75,
      tunnelTimeoutSeconds: 3600,
      publicHttpPort: 80,
      publicHttpsPort: 443,
    });
    assert.deepEqual(settings.model.trustedProxies, []);
    assert.equal(settings.model.useProxyProtocol, false);
    assert.equal(settings.model.accessLog, "off");
    assert.equal(settings.model.hsts, undefined);
    assert.deepEqual(settings.model.alpn, ["http/1.1"]);
    assert.deepEqual(settings.model.reservedPorts, [10254]);
    assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.model));
  });

  test("flags", () => {
    const settings = parse(
      ...["--source", "dir:/srv/manifests", "--watch-namespace", "a", "--watch-namespace", "b,a"],
      ...["--publish-status-address", "2001:DB8::1", "--publish-status-address", "lb.example"],
      ...["--shutdown-grace-period", "2m", "--reload-interval", "250ms", "--watch-ingress-without-class"],
      ...["--default-ssl-certificate", "kube-system/default", "--workers", "4", "--log-format", "text"],
    );
    assert.deepEqual(settings.source, { kind: "dir", path: "/srv/manifests" });
    assert.deepEqual(settings.model.watchNamespaces, ["a", "b"]);
    assert.deepEqual(settings.model.publishStatusAddresses, ["2001:db8::1", "lb.example"]);
    assert.equal(settings.model.shutdownGraceSeconds, 120);
    assert.equal(settings.reloadIntervalMs, 250);
    assert.equal(settings.model.watchIngressWithoutClass, true);
    assert.equal(settings.model.defaultSslCertificate, "kube-system/default");
    assert.equal(settings.model.workers, 4);
    assert.equal(settings.logFormat, "text");
  });

  test("flags of the HTTP lane", () => {
    const { model } = parse(
      ...["--trusted-proxies", "192.0.2.9,10.1.2.3/8", "--trusted-proxies", "2001:DB8::/32"],
      ...["--use-proxy-protocol", "--access-log", "/var/log/evener/access.json"],
      ...["--http-head-timeout", "5s", "--http-idle-timeout", "2m", "--http-tunnel-timeout", "500ms"],
      ...["--public-http-port", "8080", "--public-https-port", "8443", "--alpn", "h2, http/1.1"],
      ...["--hsts-max-age", "63072000", "--hsts-include-subdomains", "--hsts-preload"],
    );
    assert.deepEqual(model.trustedProxies, ["10.0.0.0/8", "192.0.2.9", "2001:db8::/32"]);
    assert.equal(model.useProxyProtocol, true);
    assert.equal(model.accessLog, "/var/log/evener/access.json");
    assert.deepEqual(model.http, {
      headTimeoutSeconds: 5,
      idleTimeoutSeconds: 120,
      tunnelTimeoutSeconds: 0.5,
      publicHttpPort: 8080,
      publicHttpsPort: 8443,
    });
    assert.deepEqual(model.alpn, ["h2", "http/1.1"]);
    assert.equal(model.hsts, "max-age=63072000;includeSubDomains;preload");
  });

  test("a zone, which may be without a value in the environment", () => {
    assert.equal(parse("--zone", "eu-west_1.A").model.zone, "eu-west_1.A");
    process.env.EVENER_ZONE = "";
    assert.ok(!("zone" in parse().model));
    process.env.EVENER_ZONE = "eu-1a";
    assert.equal(parse().model.zone, "eu-1a");
  });

  test("flags of TLS and of whole ports", () => {
    const { model } = parse(
      ...["--tls-protocols", "TLSv1.3", "--tls-ciphersuites", "TLS_AES_128_GCM_SHA256", "--strict-sni"],
      ...["--tls-curves", "X25519,P-256", "--extra-tls-port", "9443", "--enable-ssl-passthrough"],
      ...["--tcp-service", "5432=db/postgres:5432/tls=db.example", "--tcp-service", "7000=ns/raw:main"],
      ...["--tcp-ports", "5433,9000-9010", "--internal-tls-port", "7442", "--alpn", "http/1.1,postgresql"],
    );
    assert.deepEqual(model.tls?.protocols, ["TLSv1.3"]);
    assert.deepEqual(model.tls?.curves, ["X25519", "P-256"]);
    assert.equal(model.tls?.strictSni, true);
    assert.deepEqual(model.tls?.extraTlsPorts, [9443]);
    assert.deepEqual(model.tls?.tcpServices, [
      {
        port: 5432,
        namespace: "db",
        service: "postgres",
        servicePort: 5432,
        tls: "terminate",
        host: "db.example",
      },
      { port: 7000, namespace: "ns", service: "raw", servicePort: "main", tls: "none" },
    ]);
    assert.deepEqual(model.tcpPorts, [
      [5433, 5433],
      [9000, 9010],
    ]);
    assert.equal(model.internalTlsPort, 7442);
    assert.equal(model.sslPassthrough, true);
  });

  test("environment, and flags before it", () => {
    process.env.EVENER_TRUSTED_PROXIES = "10.0.0.0/8, ::1";
    process.env.EVENER_USE_PROXY_PROTOCOL = "yes";
    process.env.EVENER_HTTP_PORT = "9080";
    process.env.EVENER_HTTPS_PORT = "9443";
    process.env.EVENER_WATCH_NAMESPACE = "a, b";
    process.env.EVENER_WATCH_INGRESS_WITHOUT_CLASS = "true";
    process.env.EVENER_SOURCE = "dir:/srv";
    const settings = parse("--https-port", "7443");
    assert.deepEqual(settings.model.trustedProxies, ["10.0.0.0/8", "::1"]);
    assert.equal(settings.model.useProxyProtocol, true);
    assert.equal(settings.model.httpPort, 9080);
    assert.equal(settings.model.httpsPort, 7443);
    assert.deepEqual(settings.model.watchNamespaces, ["a", "b"]);
    assert.equal(settings.model.watchIngressWithoutClass, true);
    assert.deepEqual(settings.source, { kind: "dir", path: "/srv" });
  });

  const wrong: readonly (readonly string[])[] = [
    ["--tls-protocols", "TLSv1.1"],
    ["--tls-ciphers", "RC4-SHA"],
    ["--tls-ciphers", "HIGH:!aNULL"],
    ["--tls-ciphersuites", "TLS_AES_128_GCM_SHA256\nworkers"],
    ["--tls-curves", "secp192r1"],
    ["--tcp-ports", "10-9"],
    ["--tcp-ports", "0"],
    ["--tcp-ports", "1-65536"],
    ["--http-port", "0"],
    ["--http-port", "65536"],
    ["--https-port", "8e3"],
    ["--https-port", "-1"],
    ["--workers", "0"],
    ["--workers", "65"],
    ["--source", "etcd"],
    ["--source", "dir:"],
    ["--ingress-class", "Evener"],
    ["--controller-class", "evener"],
    ["--watch-namespace", "a.b"],
    ["--default-ssl-certificate", "name-only"],
    ["--publish-service", "a/b/c"],
    ["--publish-status-address", "not an address"],
    ["--publish-status-address", "fe80::1%eth0"],
    ["--run-dir", '/run/"evener"'],
    ["--run-dir", `/${"x".repeat(91)}`],
    ["--shutdown-grace-period", "soon"],
    ["--log-level", "loud"],
    ["--log-format", "xml"],
    ["--unknown"],
    ["--trusted-proxies", "10.0.0.0/33"],
    ["--trusted-proxies", "proxy.example"],
    ["--access-log", "access.json"],
    ["--access-log", "/var/log/x y"],
    ["--hsts-max-age", "1y"],
    ["--hsts-max-age", "9999999999"],
    ["--alpn", "h3"],
    ["--alpn", "h2,h2"],
    ["--alpn", ""],
    ["--http-head-timeout", "0"],
    ["--http-idle-timeout", "25000m"],
    ["--public-https-port", "0"],
    ["--zone", "eu 1a"],
    ["--zone", "-eu"],
    ["--zone", "x".repeat(64)],
    ["--balance-engine", "inlab"],
    ["--balance-path", "/opt/my balance"],
    ["--balance-path", ""],
  ];
  for (const argv of wrong) {
    test(`refused: ${argv.join(" ").slice(0, 60)}`, () => {
      assert.throws(() => parse(...argv), /error: /);
    });
  }

  const contradictions: readonly (readonly string[])[] = [
    ["--tls-protocols", "TLSv1.2"],
    ["--extra-tls-port", "8443"],
    ["--extra-tls-port", "8442"],
    ["--extra-tls-port", "10254"],
    ["--internal-tls-port", "8080"],
    ["--tcp-service", "5432"],
    ["--tcp-service", "0=a/b:1"],
    ["--tcp-service", "8443=a/b:1"],
    ["--tcp-service", "5432=A/b:1"],
    ["--tcp-service", "5432=a/b.c:1"],
    ["--tcp-service", "5432=a/b:1/tls=*"],
    ["--tcp-service", "5432=a/b:1/tls=x y"],
    ["--tcp-service", "5432=a/b:1", "--tcp-service", "5432=a/c:1"],
  ];
  for (const argv of contradictions) {
    test(`refused: ${argv.join(" ")}`, () => {
      assert.throws(() => parse(...argv), SettingsError);
    });
  }

  test("ports that contradict each other", () => {
    assert.throws(() => parse("--http-port", "8443"), SettingsError);
    assert.throws(() => parse("--healthz-port", "8443"), SettingsError);
    assert.throws(() => parse("--inspection", "--inspection-port", "10254"), SettingsError);
    assert.throws(() => parse("--inspection", "--inspection-port", "8080"), SettingsError);
    assert.equal(parse("--inspection-port", "8080").page, undefined);
  });

  test("the inspection page: none unless asked for, and then on loopback", () => {
    assert.equal(parse().page, undefined);
    assert.deepEqual(parse("--inspection").page, { address: "127.0.0.1", port: 10354, hosts: [] });
    const args = [
      "--inspection",
      "--inspection-address",
      "FD00::1",
      "--inspection-host",
      "A.example,b.example",
    ];
    assert.deepEqual(parse(...args, "--inspection-port", "81").page, {
      address: "fd00::1",
      port: 81,
      hosts: ["a.example", "b.example"],
    });
    for (const wrong of [
      ["--inspection-address", "localhost"],
      ["--inspection-host", "*.example"],
      ["--inspection-host", "a b"],
    ])
      assert.throws(() => parse("--inspection", ...wrong));
  });

  test("TCP ports and the engine that serves them", () => {
    const { tls, upstreamBalance } = parse(
      ...["--tcp-service", "15432=shop/db:5432,10025=mail/in:smtp", "--balance-engine", "upstream"],
      ...["--balance-path", "/opt/balance"],
    ).model;
    assert.deepEqual(tls?.tcpServices, [
      { port: 15432, namespace: "shop", service: "db", servicePort: 5432, tls: "none" },
      { port: 10025, namespace: "mail", service: "in", servicePort: "smtp", tls: "none" },
    ]);
    assert.equal(upstreamBalance, "/opt/balance");
    for (const argv of [
      ["--tcp-service", "5432"],
      ["--tcp-service", "0=shop/db:5432"],
      ["--tcp-service", "5432=shop/db:99999"],
      ["--tcp-service", "5432=Shop/db:5432"],
      ["--tcp-service", "8443=shop/db:1"],
      ["--tcp-service", "10254=shop/db:1"],
      ["--tcp-service", "5432=shop/db:1", "--tcp-service", "5432=shop/other:1"],
      ["--balance-engine", "upstream"],
      ["--balance-path", "/opt/balance"],
    ]) {
      assert.throws(() => parse(...argv), SettingsError, argv.join(" "));
    }
  });

  test("flags that need others", () => {
    assert.throws(() => parse("--use-proxy-protocol"), SettingsError);
    assert.throws(() => parse("--hsts-preload"), SettingsError);
    assert.throws(() => parse("--hsts-max-age", "31536000", "--hsts-preload"), SettingsError);
    assert.throws(
      () => parse("--hsts-max-age", "1", "--hsts-include-subdomains", "--hsts-preload"),
      SettingsError,
    );
  });
});
