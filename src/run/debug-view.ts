// SPDX-License-Identifier: Apache-2.0
/** What /debug shows: the newest result of a rebuild, without any key. */
import type { Latest } from "../loop/controller.ts";
import type { Rendered } from "../loop/desired.ts";
import { renderStatus } from "../render/render-status.ts";
import { formatCommand } from "../render/render-upstream.ts";

export function describeConfig(latest: Latest | undefined): Record<string, string> {
  if (latest === undefined) return {};
  const { "hitch.conf": hitch = "", "balance.conf": balance = "", ...upstream } = listFiles(latest.rendered);
  return {
    "hitch.conf": hitch,
    "balance.conf": balance,
    "status.yaml": renderStatus(latest.model),
    ...upstream,
  };
}

/** What the children read, by name. */
export function listFiles({ hitchConf, balanceConf, upstream = [] }: Rendered): Record<string, string> {
  return {
    "hitch.conf": hitchConf,
    "balance.conf": balanceConf,
    ...Object.fromEntries(upstream.map((command) => [`${command.name}.args`, formatCommand(command)])),
  };
}

export function describeModel(latest: Latest | undefined): unknown {
  if (latest === undefined) return {};
  // A certificate's text begins with its key.
  return JSON.parse(
    JSON.stringify(latest.model, (key, value: unknown) => (key === "pem" ? undefined : value)),
  );
}
