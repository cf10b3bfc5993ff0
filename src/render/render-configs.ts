// SPDX-License-Identifier: Apache-2.0
import type { Ir } from "../model/types.ts";
import { renderBalance } from "./render-balance.ts";
import { renderHitch } from "./render-hitch.ts";
import { renderUpstream, type UpstreamCommand } from "./render-upstream.ts";

export interface RenderedConfigs {
  readonly hitchConf: string;
  readonly balanceConf: string;
  /** Processes of upstream Balance. */
  readonly upstream: readonly UpstreamCommand[];
}

/** What both programs read. Throws UnsafeValueError rather than write a byte that has no business there. */
export function renderConfigs(ir: Ir): RenderedConfigs {
  return { hitchConf: renderHitch(ir), balanceConf: renderBalance(ir), upstream: renderUpstream(ir) };
}
