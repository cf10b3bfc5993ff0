// SPDX-License-Identifier: Apache-2.0
/** The command lines of upstream Balance processes: words for execve, never for a shell. */
import type { Ir, UpstreamService } from "../model/types.ts";
import { safeChannel, safeFile, safePort, safeSeconds } from "./safe.ts";

export interface UpstreamCommand {
  /** `balance-PORT`: of the child, and of what is written about it. */
  readonly name: string;
  readonly port: number;
  readonly file: string;
  readonly args: readonly string[];
}

/** Sorted by port. */
export function renderUpstream({ balance }: Ir): readonly UpstreamCommand[] {
  return (balance.upstream ?? []).map(renderCommand);
}

/** As `RUN_DIR/balance-PORT.args`. */
export function formatCommand({ file, args }: UpstreamCommand): string {
  return `${[file, ...args].join(" ")}\n`;
}

function renderCommand(service: UpstreamService): UpstreamCommand {
  const port = safePort(service.port);
  return {
    name: `balance-${port}`,
    port: service.port,
    file: safeFile(service.file),
    args: [
      "-f",
      ...(service.hash ? ["-H"] : []),
      ...["-b", "0.0.0.0"],
      ...["-t", safeSeconds(service.connectSeconds)],
      ...["-T", safeSeconds(service.idleSeconds)],
      port,
      ...listChannels(service),
    ],
  };
}

/** `!` ends a group that is used in turn, `%` one that is chosen from by the client's address. */
function listChannels({ groups, hash }: UpstreamService): readonly string[] {
  return groups.flatMap((group, i) => {
    const isLast = i === groups.length - 1;
    return [...group.map(safeChannel), ...(hash ? ["%"] : isLast ? [] : ["!"])];
  });
}
