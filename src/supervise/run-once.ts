// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "../clock.ts";
import type { Exit, ProcessSpec, Runner } from "./runner.ts";

export interface Finished extends Exit {
  /** The last lines of its output. */
  readonly lines: readonly string[];
  readonly timedOut: boolean;
}

const KEPT_LINES = 20;

/** Runs a program to its end, or to the end of our patience. */
export async function runOnce(
  runner: Runner,
  clock: Clock,
  spec: ProcessSpec,
  timeoutMs: number,
): Promise<Finished> {
  const lines: string[] = [];
  let timedOut = false;
  const child = runner.spawn(spec, (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  });
  const cancel = clock.after(timeoutMs, () => {
    timedOut = true;
    child.signalGroup("SIGKILL");
  });
  const exit = await child.exited;
  cancel();
  // Nobody may hold its output open now, and its exit may have overtaken the last lines it wrote.
  child.signalGroup("SIGKILL");
  await child.outputEnded;
  return { ...exit, lines, timedOut };
}
