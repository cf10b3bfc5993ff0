// SPDX-License-Identifier: Apache-2.0
import { type Finding, type Report, recordFindings, replayFindings } from "./problems.ts";

/**
 * A part of the rebuild with its newest result. Sources give the same object for what did not change, so inputs that are
 * the same objects give the same result; the problems found on the way are told again.
 */
export class Stage<T> {
  #last:
    | { readonly inputs: readonly unknown[]; readonly result: T; readonly findings: readonly Finding[] }
    | undefined;

  /** `isGood` may refuse the last result although its inputs are the same. */
  run(
    inputs: readonly unknown[],
    report: Report,
    compute: (report: Report) => T,
    isGood: (last: T) => boolean = () => true,
  ): T {
    let last = this.#last;
    const isSame = last?.inputs.every((input, i) => Object.is(input, inputs[i])) ?? false;
    if (last === undefined || !isSame || !isGood(last.result)) {
      last = { inputs, ...recordFindings(compute) };
      this.#last = last;
    }
    replayFindings(last.findings, report);
    return last.result;
  }
}
