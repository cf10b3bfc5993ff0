// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Desired,
  explainBalance,
  explainHitch,
  findSettingsStep,
  planSteps,
} from "../../src/apply/plan.ts";

const BALANCE = `hash 1
workers 2
listen http tcp:[::]:8080 proxy=none
pool shop/web:80 -t 5 10.0.0.1:80
route http a.example shop/web:80
rule web b.example prefix / shop/web:80
default web shop/web:80
`;
const HITCH = `frontend = {
  host = "*"
  port = "8443"
}
workers = 2
pem-file = "/run/certs/a.pem"
pem-file = "/run/certs/d.pem"
`;

function desired(more: Partial<Desired> = {}): Desired {
  const certificates = new Map([
    ["/run/certs/a.pem", "A"],
    ["/run/certs/d.pem", "D"],
  ]);
  const served = [
    { path: "/run/certs/a.pem", host: "a.example", pem: "A" },
    { path: "/run/certs/d.pem", host: undefined, pem: "D" },
  ];
  return { hitchConf: HITCH, balanceConf: BALANCE, balanceHash: "1", certificates, served, ...more };
}

const applied = {
  hitch: { conf: HITCH, certificates: new Set(["/run/certs/a.pem", "/run/certs/d.pem"]) },
  balance: { conf: BALANCE },
};

describe("the plan", () => {
  test("a first start writes keys, starts Balance, then Hitch", () => {
    const steps = planSteps({}, desired());
    assert.deepEqual(
      steps.map((step) => step.type),
      ["write-certificates", "balance", "hitch", "remove-certificates"],
    );
    assert.deepEqual(
      steps.flatMap((step) => ("reason" in step ? [step.reason] : [])),
      ["start", "start"],
    );
  });

  test("Hitch takes the TLS port back before Balance lets go of it, and Balance takes it first", () => {
    const front = HITCH.replace("workers", "proxy-proxy = on\nworkers");
    const balanceConf = BALANCE.replace("listen", "listen front tcp:[::]:8443 sni\nlisten");
    const order = (from: typeof applied, to: Desired) =>
      planSteps(from, to).flatMap((step) =>
        step.type === "hitch" || step.type === "balance" ? [step.type] : [],
      );
    assert.deepEqual(order(applied, desired({ hitchConf: front, balanceConf })), ["balance", "hitch"]);
    const inFront = { hitch: { ...applied.hitch, conf: front }, balance: { conf: balanceConf } };
    assert.deepEqual(order(inFront, desired()), ["hitch", "balance"]);
    assert.equal(
      planSteps(inFront, desired()).some((step) => step.type === "balance" && step.afterHitch === true),
      true,
    );
  });

  test("settings of contexts change in a reload of their own", () => {
    const before = 'tls-protos = TLSv1.2 TLSv1.3\nworkers = 2\n# Certificates. x\npem-file = "/a"\n';
    const after = 'tls-protos = TLSv1.3\nworkers = 2\n# Certificates. x\npem-file = "/b"\n';
    assert.equal(findSettingsStep(before, after), after.replace("/b", "/a"));
    assert.equal(findSettingsStep(before, before.replace("/a", "/b")), undefined);
    assert.equal(findSettingsStep(before, before.replace("workers = 2", "workers = 3")), undefined);
    assert.equal(findSettingsStep(undefined, after), undefined);
    assert.equal(findSettingsStep("", after), undefined);
  });

  test("nothing changed, nothing to do", () => {
    assert.deepEqual(planSteps(applied, desired()), []);
  });

  test("an endpoint change touches only Balance", () => {
    const balanceConf = BALANCE.replace("hash 1", "hash 2").replace("10.0.0.1:80", "10.0.0.1:80 10.0.0.2:80");
    assert.deepEqual(planSteps(applied, desired({ balanceConf })), [
      { type: "balance", reason: "endpoints" },
    ]);
  });

  test("a rotation writes the new key, reloads only Hitch, verifies only what is new", () => {
    const certificates = new Map([
      ["/run/certs/b.pem", "B"],
      ["/run/certs/d.pem", "D"],
    ]);
    const served = [
      { path: "/run/certs/b.pem", host: "a.example", pem: "B" },
      { path: "/run/certs/d.pem", host: undefined, pem: "D" },
    ];
    const hitchConf = HITCH.replace("a.pem", "b.pem");
    assert.deepEqual(planSteps(applied, desired({ hitchConf, certificates, served })), [
      { type: "write-certificates", paths: ["/run/certs/b.pem"] },
      { type: "hitch", reason: "certificates", verify: [served[0]] },
      { type: "remove-certificates", keep: new Set(certificates.keys()) },
    ]);
  });

  test("many new certificates are verified by a sample", () => {
    const paths = Array.from({ length: 100 }, (_, i) => `/run/certs/${i}.pem`);
    const steps = planSteps(
      applied,
      desired({
        hitchConf: `${HITCH}x`,
        certificates: new Map(paths.map((path) => [path, path])),
        served: paths.map((path, i) => ({ path, host: `${i}.example`, pem: path })),
      }),
    );
    const hitch = steps.find((step) => step.type === "hitch");
    assert.ok(hitch?.type === "hitch" && hitch.verify.length > 0 && hitch.verify.length <= 8);
  });
});

describe("the reason", () => {
  const balanceCases: [string, string, string | undefined][] = [
    ["nothing", BALANCE, undefined],
    ["a listener", BALANCE.replace("8080", "8081"), "listeners"],
    [
      "a route and an endpoint",
      BALANCE.replace("a.example", "b.example").replace("0.1:80", "0.2:80"),
      "routes",
    ],
    ["a rule", BALANCE.replace("prefix /", "exact /"), "routes"],
    [
      "the default",
      BALANCE.replace("default web shop/web:80", "default web shop/web:80 max-body=1"),
      "routes",
    ],
    ["an endpoint", BALANCE.replace("10.0.0.1:80", "10.0.0.2:80"), "endpoints"],
    ["something else", BALANCE.replace("workers 2", "workers 3"), "settings"],
  ];
  for (const [name, conf, reason] of balanceCases) {
    test(`Balance: ${name} → ${reason}`, () => assert.equal(explainBalance(BALANCE, conf), reason));
  }
  const hitchCases: [string, string, string | undefined][] = [
    ["nothing", HITCH, undefined],
    ["a certificate", `${HITCH}pem-file = "/run/certs/e.pem"\n`, "certificates"],
    ["the port", HITCH.replace("8443", "9443"), "listeners"],
    ["the workers", HITCH.replace("workers = 2", "workers = 3"), "settings"],
  ];
  for (const [name, conf, reason] of hitchCases) {
    test(`Hitch: ${name} → ${reason}`, () => assert.equal(explainHitch(HITCH, conf), reason));
  }
});
