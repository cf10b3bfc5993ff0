// SPDX-License-Identifier: Apache-2.0
/** What figures were measured on: without it they mean nothing. */
import { execFileSync } from "node:child_process";
import { cpus, release } from "node:os";

function firstLine(program: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).split(
      "\n",
    )[0];
  } catch {
    return undefined;
  }
}

/** What a program says of its version, on whichever of its outputs. */
export function versionOf(command: string): string {
  return execFileSync("sh", ["-c", `${command} 2>&1 | head -n 1`], { encoding: "utf8" }).trim();
}

export function describeMachine(versions: readonly string[], rounds: number): string {
  const commit = firstLine("git", "rev-parse", "--short", "HEAD") ?? "unknown";
  return `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}; ${versions.join("; ")}; commit ${commit}; ${rounds} alternating rounds`;
}
