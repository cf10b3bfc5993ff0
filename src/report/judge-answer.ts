// SPDX-License-Identifier: Apache-2.0
import type { ApiAnswer } from "./api.ts";
import type { WriteResult } from "./write-queue.ts";

/** A refusal that will be the same the next time, until somebody changes rights or objects. */
const REFUSED_RETRY_MS = 60_000;

/** What any failed write comes to; the caller has dealt with what is special about its own. */
export function judgeFailure({ status }: ApiAnswer): WriteResult {
  if (status === 409) return "again";
  // Nothing to write to any more.
  if (status === 404) return "done";
  if (status === 401 || status === 429 || status >= 500) return "pause";
  return { againAfterMs: REFUSED_RETRY_MS };
}
