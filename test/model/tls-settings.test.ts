// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  checkTlsSettings,
  DEFAULT_TLS_SETTINGS,
  TLS_CIPHERS,
  TLS_CIPHERSUITES,
  TLS_CURVES,
} from "../../src/model/tls-settings.ts";
import { HOSTILE, MARK } from "../helpers/hostile.ts";

describe("settings of TLS", () => {
  test("nothing said is the default", () => {
    assert.deepEqual(checkTlsSettings({}), { settings: DEFAULT_TLS_SETTINGS, faults: [] });
  });

  test("what can be had is taken as it stands", () => {
    const raw = {
      protocols: ["TLSv1.3", "TLSv1.2"],
      ciphers: TLS_CIPHERS.toReversed(),
      ciphersuites: TLS_CIPHERSUITES.toReversed(),
      curves: TLS_CURVES.toReversed(),
      preferServerCiphers: true,
      alpn: ["postgresql", "http/1.1"],
      ocspStapling: true,
      hsts: "max-age=1;includeSubDomains",
      defaultCertificate: "kube-system/default",
      strictSni: true,
      workers: 8,
      trustedProxies: ["10.1.2.3/8"],
      extraTlsPorts: [9443],
      tcpServices: [
        { port: 5432, namespace: "db", service: "pg", servicePort: "main", tls: "terminate", host: "a.b" },
      ],
      sessionTickets: true,
    };
    const { settings, faults } = checkTlsSettings(raw, [443]);
    assert.deepEqual(faults, []);
    const { sessionTickets, ...rest } = raw;
    assert.equal(sessionTickets, true);
    assert.deepEqual(settings, {
      ...rest,
      protocols: ["TLSv1.2", "TLSv1.3"],
      trustedProxies: ["10.0.0.0/8"],
    });
  });

  const wrong: readonly (readonly [raw: Record<string, unknown>, field: string, message: RegExp])[] = [
    [{ protocols: ["TLSv1.1"] }, "protocols[0]", /known are TLSv1\.2, TLSv1\.3/],
    [{ protocols: ["TLSv1.2"] }, "protocols", /TLSv1\.3 can't be left out/],
    [{ protocols: ["TLSv1.3", "TLSv1.3"] }, "protocols", /twice/],
    [{ ciphers: ["ECDHE-RSA-AES128-GCM-SHA256", "RC4-SHA"] }, "ciphers[1]", /can't be had/],
    [{ ciphers: "HIGH" }, "ciphers", /no list/],
    [{ curves: [7] }, "curves[0]", /can't be had/],
    [{ alpn: ["spdy/1"] }, "alpn[0]", /can't be had/],
    [{ sessionTickets: false }, "sessionTickets", /always on/],
    [{ strictSni: "yes" }, "strictSni", /neither true nor false/],
    [{ hsts: "max-age=1; includeSubDomains" }, "hsts", /no value such as/],
    [{ defaultCertificate: "a/b/c" }, "defaultCertificate", /NAMESPACE\/NAME/],
    [{ workers: 65 }, "workers", /1 to 64/],
    [{ trustedProxies: ["10.0.0.0/33"] }, "trustedProxies[0]", /no address range/],
    [{ extraTlsPorts: [443] }, "extraTlsPorts[0]", /taken/],
    [{ extraTlsPorts: [1, 1] }, "extraTlsPorts[1]", /taken/],
    [{ extraTlsPorts: ["1"] }, "extraTlsPorts[0]", /no port/],
    [{ tcpServices: [null] }, "tcpServices[0]", /no object/],
    [{ tcpServices: [{ port: 0 }] }, "tcpServices[0].port", /no port/],
    [{ tcpServices: [{ port: 1, namespace: "A" }] }, "tcpServices[0].namespace", /no namespace/],
    [
      { tcpServices: [{ port: 1, namespace: "a", service: "b.c" }] },
      "tcpServices[0].service",
      /no Service name/,
    ],
    [
      { tcpServices: [{ port: 1, namespace: "a", service: "b", servicePort: "" }] },
      "tcpServices[0].servicePort",
      /no port/,
    ],
    [
      { tcpServices: [{ port: 1, namespace: "a", service: "b", servicePort: 1, tls: "passthrough" }] },
      "tcpServices[0].tls",
      /neither none nor terminate/,
    ],
    [
      { tcpServices: [{ port: 1, namespace: "a", service: "b", servicePort: 1, host: "x.y" }] },
      "tcpServices[0].host",
      /needs tls/,
    ],
  ];
  for (const [raw, field, message] of wrong) {
    test(`${JSON.stringify(raw)} is refused, and the rest goes on`, () => {
      const { settings, faults } = checkTlsSettings({ ...raw, preferServerCiphers: true }, [443]);
      assert.equal(faults.length, 1);
      assert.equal(faults[0]?.field, field);
      assert.match(faults[0]?.message ?? "", message);
      assert.equal(settings.preferServerCiphers, true);
    });
  }

  test("no hostile string gets through in any field", () => {
    const service = { port: 1, namespace: "a", service: "b", servicePort: 1, tls: "terminate" };
    for (const text of Object.values(HOSTILE)) {
      const raw = {
        ...Object.fromEntries(Object.keys(DEFAULT_TLS_SETTINGS).map((key) => [key, text])),
        ...Object.fromEntries(
          ["protocols", "ciphers", "ciphersuites", "curves", "alpn"].map((key) => [key, [text]]),
        ),
        hsts: text,
        defaultCertificate: text,
        workers: text,
        trustedProxies: [text],
        extraTlsPorts: [text],
        tcpServices: ["namespace", "service", "servicePort", "tls", "host"].map((key) => ({
          ...service,
          [key]: text,
        })),
      };
      const { settings, faults } = checkTlsSettings(raw);
      assert.doesNotMatch(JSON.stringify(settings).toLowerCase(), new RegExp(MARK));
      assert.ok(faults.length > 10);
    }
  });
});
