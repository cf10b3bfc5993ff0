// SPDX-License-Identifier: Apache-2.0
/** Counts against the committed baseline. */
import type { Figures } from "./figures.ts";

export interface Baseline {
  /** Compiler and machine that the instructions are counted for; with others only system calls are compared. */
  readonly toolchain: string;
  readonly figures: Figures;
}

export const TOLERANCE = 0.03;
/** A system call more on one connection in ten is noise. */
const LEAST = 0.25;

export type Verdict = "same" | "better" | "worse" | "not compared";

export interface Comparison {
  readonly name: string;
  readonly before: number | undefined;
  readonly now: number;
  readonly verdict: Verdict;
}

function judge(before: number, now: number): Verdict {
  if (Math.abs(now - before) < LEAST) return "same";
  if (now > before * (1 + TOLERANCE)) return "worse";
  return now < before * (1 - TOLERANCE) ? "better" : "same";
}

export function compare(baseline: Baseline, toolchain: string, now: Figures): readonly Comparison[] {
  return Object.entries(now).map(([name, figure]) => {
    const before = baseline.figures[name];
    const isComparable =
      before !== undefined && (toolchain === baseline.toolchain || !name.includes("instructions"));
    return { name, before, now: figure, verdict: isComparable ? judge(before, figure) : "not compared" };
  });
}
