// SPDX-License-Identifier: Apache-2.0
import type { ModelSettings } from "../../src/model/types.ts";

/** Time of every rebuild in tests. */
export const NOW = new Date("2026-01-01T00:00:00Z");

export const SETTINGS: ModelSettings = Object.freeze({
  ingressClass: "evener",
  controllerClass: "evener.io/ingress-controller",
  watchIngressWithoutClass: false,
  watchNamespaces: [],
  publishStatusAddresses: [],
  hostOwnership: "path",
  httpPort: 8080,
  httpsPort: 8443,
  workers: 2,
  runDir: "/run/evener",
  shutdownGraceSeconds: 30,
  http: {
    headTimeoutSeconds: 30,
    idleTimeoutSeconds: 75,
    tunnelTimeoutSeconds: 3600,
    publicHttpPort: 80,
    publicHttpsPort: 443,
  },
  trustedProxies: [],
  useProxyProtocol: false,
  accessLog: "off",
  alpn: ["http/1.1"] as const,
});
