// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const HITCH = fileURLToPath(new URL("../../dist/bin/hitch", import.meta.url));
export const BALANCE = fileURLToPath(new URL("../../dist/bin/balance", import.meta.url));

/** For the `skip` option of a test that needs the real programs; `make test` builds them first. */
export function skipWithoutDataPlane(): string | false {
  return existsSync(HITCH) && existsSync(BALANCE)
    ? false
    : "needs dist/bin/hitch and dist/bin/balance: make dataplane";
}
