// SPDX-License-Identifier: Apache-2.0
/** A way from a port to the pod. All are configured alike: one worker, the same certificate, TLS 1.3, keep-alive on both sides. */
import type { Session } from "../lib/session.ts";

export type Mode = "http" | "tcp";

export interface Setup {
  readonly session: Session;
  /** Where the products are. */
  readonly bin: string;
  /** Where the pod listens. */
  readonly pod: number;
  /** Files with key and certificate, the first for HOST. */
  readonly pems: readonly string[];
  readonly names: readonly string[];
}

export interface Running {
  /** TLS. */
  readonly port: number;
  /** The same without TLS, where that makes sense. */
  readonly plainPort?: number;
  /** Roots of the process tree. */
  readonly pids: readonly number[];
  /** Makes it read its configuration anew. */
  readonly reload?: () => void;
}

export interface Peer {
  readonly name: string;
  readonly mode: Mode;
  readonly ours: boolean;
  readonly start: (setup: Setup) => Promise<Running>;
}
