// SPDX-License-Identifier: Apache-2.0
/** What is wrong now, compared with what was wrong before: each problem is told once when it comes and once when it goes. */
import type { Problem } from "../model/types.ts";

export interface ProblemChanges {
  readonly appeared: readonly Problem[];
  readonly vanished: readonly Problem[];
}

export class ProblemTracker {
  #current = new Map<string, Problem>();

  get current(): readonly Problem[] {
    return [...this.#current.values()];
  }

  update(problems: readonly Problem[]): ProblemChanges {
    const next = new Map(problems.map((problem) => [identify(problem), problem]));
    const before = this.#current;
    this.#current = next;
    return {
      appeared: [...next].filter(([key]) => !before.has(key)).map(([, problem]) => problem),
      vanished: [...before].filter(([key]) => !next.has(key)).map(([, problem]) => problem),
    };
  }
}

/** The message belongs to it: another line of a file, or another winner, is another problem. */
function identify(problem: Problem): string {
  const { ref, severity, reason, field, message } = problem;
  return JSON.stringify([ref.kind, ref.namespace, ref.name, severity, reason, field, message]);
}
