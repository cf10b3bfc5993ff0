// SPDX-License-Identifier: Apache-2.0
import { it, type TestContext } from "node:test";

export type Step = (name: string, work: (t: TestContext) => Promise<void>) => void;

/** A step relies on those before it; when one fails, the logs are shown and the rest is left out. */
export function makeSteps(showLogs: () => Promise<void>): Step {
  let broken = false;
  return (name, work) => {
    it(name, async (t) => {
      if (broken) return t.skip("an earlier step has failed");
      try {
        await work(t);
      } catch (error) {
        broken = true;
        await showLogs();
        throw error;
      }
    });
  };
}
