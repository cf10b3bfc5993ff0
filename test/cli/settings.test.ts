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

  test("environment, and flags before it", () => {
    process.env.EVENER_HTTP_PORT = "9080";
    process.env.EVENER_HTTPS_PORT = "9443";
    process.env.EVENER_WATCH_NAMESPACE = "a, b";
    process.env.EVENER_WATCH_INGRESS_WITHOUT_CLASS = "true";
    process.env.EVENER_SOURCE = "dir:/srv";
    const settings = parse("--https-port", "7443");
    assert.equal(settings.model.httpPort, 9080);
    assert.equal(settings.model.httpsPort, 7443);
    assert.deepEqual(settings.model.watchNamespaces, ["a", "b"]);
    assert.equal(settings.model.watchIngressWithoutClass, true);
    assert.deepEqual(settings.source, { kind: "dir", path: "/srv" });
  });

  const wrong: readonly (readonly string[])[] = [
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
  ];
  for (const argv of wrong) {
    test(`refused: ${argv.join(" ").slice(0, 60)}`, () => {
      assert.throws(() => parse(...argv), /error: /);
    });
  }

  test("ports that contradict each other", () => {
    assert.throws(() => parse("--http-port", "8443"), SettingsError);
    assert.throws(() => parse("--healthz-port", "8443"), SettingsError);
  });
});
