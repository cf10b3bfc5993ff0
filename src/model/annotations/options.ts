// SPDX-License-Identifier: Apache-2.0
/** What the annotations of one Ingress come to. */
import type { SettingsLayer } from "../backend-settings.ts";
import type { ClientCertificateMode } from "../client-certificates.ts";
import type { Lane, Redirect } from "../types.ts";
import { NOTHING_SAID } from "./backend-layer.ts";

/** `closed`: its rules answer 403. `refused`: they are left out. */
export type Fate = "served" | "closed" | "refused";

/** As the annotations say; the Secret is looked for later. */
export interface ClientCertificateWish {
  /** `NAME` or `NAMESPACE/NAME`. */
  readonly secret: string;
  readonly mode: ClientCertificateMode;
  readonly certificate: boolean;
}

export interface IngressOptions {
  readonly lane: Lane;
  /** Lane `port`. */
  readonly tcpPort: number | undefined;
  readonly fate: Fate;
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  readonly redirect: Redirect | undefined;
  readonly appRoot: string | undefined;
  readonly rewrite: string | undefined;
  /** Empty: everybody. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** 0: no limit. */
  readonly limitConnections: number;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** What it says about the pools it leads to. */
  readonly backend: SettingsLayer;
  readonly clientCertificate: ClientCertificateWish | undefined;
}

/** An Ingress without annotations of ours. */
export const DEFAULT_OPTIONS: IngressOptions = Object.freeze({
  lane: "http",
  tcpPort: undefined,
  fate: "served",
  sslRedirect: true,
  forceSslRedirect: false,
  redirect: undefined,
  appRoot: undefined,
  rewrite: undefined,
  allow: Object.freeze([]),
  deny: Object.freeze([]),
  limitConnections: 0,
  maxBodyBytes: 0,
  backend: NOTHING_SAID,
  clientCertificate: undefined,
});

/** … whose hosts a policy puts into the TCP lane. */
export const RELAYED_OPTIONS: IngressOptions = Object.freeze({ ...DEFAULT_OPTIONS, lane: "tcp" });
