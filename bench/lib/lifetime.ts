// SPDX-License-Identifier: Apache-2.0
/** What a test's context is to the end-to-end helpers: somebody who tidies up afterwards. */
import type { TestContext } from "node:test";

export async function withLifetime(body: (t: TestContext) => Promise<void>): Promise<void> {
  const actions: (() => unknown)[] = [];
  let passed = false;
  const t = {
    after: (action: () => unknown) => actions.push(action),
    diagnostic: (text: string) => process.stderr.write(`${text}\n`),
    get passed() {
      return passed;
    },
  };
  try {
    await body(t as unknown as TestContext);
    passed = true;
  } finally {
    for (const action of actions.reverse()) await action();
  }
}
