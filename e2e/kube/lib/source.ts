// SPDX-License-Identifier: Apache-2.0
import { type Clock, systemClock } from "../../../src/clock.ts";
import { loadKubeConfig } from "../../../src/kube/config.ts";
import { HttpTransport } from "../../../src/kube/http-transport.ts";
import { createLogger } from "../../../src/report/log.ts";
import { createKubeSource, type KubeSource } from "../../../src/source/kube/kube-source.ts";
import type { Timing } from "../../../src/source/kube/reflector.ts";
import type { ScopeSettings } from "../../../src/source/kube/scopes.ts";
import { SETTINGS } from "../../../test/helpers/settings.ts";

export interface TestSourceOptions extends Partial<ScopeSettings> {
  readonly timing?: Timing;
  readonly clock?: Clock;
}

/** A source in this process; its log is shown with EVENER_TEST_LOG=debug. */
export function openTestSource(kubeconfig: string, options: TestSourceOptions = {}): KubeSource {
  const { timing, clock = systemClock, ...settings } = options;
  const level = process.env.EVENER_TEST_LOG === "debug" ? "debug" : "error";
  return createKubeSource({
    transport: new HttpTransport(loadKubeConfig(kubeconfig), "evener-e2e"),
    clock,
    random: Math.random,
    log: createLogger({ level, format: "text" }),
    settings: { model: SETTINGS, secrets: "tls", ...settings },
    ...(timing === undefined ? {} : { timing }),
  });
}
