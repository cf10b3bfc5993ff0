// SPDX-License-Identifier: Apache-2.0
import type { Peer, Running } from "../peers/peer.ts";

/** What one round gave for one peer: the first figure is the one that is compared. */
export type Sample = Readonly<Record<string, number>>;

export interface Size {
  readonly rounds: number;
  /** Of load, for each sample. */
  readonly seconds: number;
  /** Connections made, or held, in each sample. */
  readonly connections: number;
  readonly idle: number;
  readonly certificates: number;
  readonly ingresses: readonly number[];
  /** Ingresses, and changes of an endpoint, of a whole controller. */
  readonly sites: number;
  readonly changes: number;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** By column of the samples; the first is the one whose ratio to the best peer is shown. Less is better. */
  readonly columns: readonly { readonly key: string; readonly label: string; readonly digits: number }[];
  readonly rounds: (size: Size) => number;
  readonly isFor: (peer: Peer) => boolean;
  readonly sample: (running: Running, size: Size) => Promise<Sample>;
}
