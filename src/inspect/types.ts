// SPDX-License-Identifier: Apache-2.0
/** What the inspection page and `evener status` show. Nothing in it comes from a key. */
import type { BalancePool, BalanceStatus } from "../balance-client/types.ts";
import type { Lane, Severity } from "../model/types.ts";

export interface ChildView {
  readonly name: string;
  readonly phase: string;
  readonly pid?: number;
  /** Whether it runs what was rendered last; absent where that is not asked. */
  readonly current?: boolean;
}

export interface RouteView {
  readonly host: string;
  /** As `describePath` writes it; empty where connections are passed on. */
  readonly path: string;
  readonly lane: Lane;
  /** Absent where every request is redirected. */
  readonly pool?: string;
  /** What is not as usual, in words. */
  readonly how: readonly string[];
  /** Whose certificate a client is shown; absent where there is no TLS of ours. */
  readonly certificate?: string;
  /** `namespace/name` of those that are served for this host. */
  readonly ingresses: readonly string[];
}

export type Validity = "ok" | "expires soon" | "expired" | "unknown";

export interface CertificateView {
  readonly hosts: readonly string[];
  /** `namespace/name` of the Secret; absent for a generated one. */
  readonly secret?: string;
  readonly isDefault: boolean;
  readonly notAfter: string;
  readonly daysLeft?: number;
  readonly validity: Validity;
  /** Whether clients are asked for a certificate. */
  readonly clients?: string;
  readonly id: string;
}

export interface PoolView extends BalancePool {
  /** What is not as usual, in words. */
  readonly how: readonly string[];
}

export interface ProblemView {
  readonly object: string;
  readonly severity: Severity;
  readonly reason: string;
  readonly field?: string;
  readonly message: string;
}

export interface FileView {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly changedAt: string;
  /** Whether the child runs it; absent where that is not known. */
  readonly live?: boolean;
  /** What was replaced at `changedAt`, as a unified diff; absent when there was nothing before. */
  readonly diff?: string;
  /** The two have so little in common that no diff was made. */
  readonly different?: boolean;
}

export interface ReloadView {
  readonly at: string;
  readonly child: string;
  readonly reason: string;
  readonly result: string;
  readonly milliseconds: number;
  readonly message?: string;
}

export interface Inspection {
  readonly version: string;
  readonly at: string;
  readonly startedAt: string;
  /** What is missing before traffic may come; empty when ready. */
  readonly missing: readonly string[];
  readonly children: readonly ChildView[];
  /** Absent, with the reason, while Balance does not answer. */
  readonly balance?: BalanceStatus;
  readonly balanceError?: string;
  readonly routes: readonly RouteView[];
  readonly certificates: readonly CertificateView[];
  readonly pools: readonly PoolView[];
  readonly problems: readonly ProblemView[];
  readonly files: readonly FileView[];
  /** The newest first. */
  readonly reloads: readonly ReloadView[];
}
