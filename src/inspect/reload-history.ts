// SPDX-License-Identifier: Apache-2.0
/** The newest reloads. */
import type { ReloadRecord } from "../apply/applier.ts";
import type { ReloadView } from "./types.ts";

/** An hour and more of a busy cluster's endpoints; a few tens of kilobytes. */
const MOST = 200;
/** What a child said may be long. */
const MAX_MESSAGE = 1000;

export class ReloadHistory {
  readonly #most: number;
  #reloads: readonly ReloadView[] = [];

  constructor(most = MOST) {
    this.#most = most;
  }

  add({ at, durationMs, child, reason, result, message }: ReloadRecord): void {
    const view: ReloadView = {
      at: new Date(at).toISOString(),
      child,
      reason,
      result,
      milliseconds: Math.round(durationMs),
      ...(message === undefined ? {} : { message: message.slice(0, MAX_MESSAGE) }),
    };
    this.#reloads = [view, ...this.#reloads].slice(0, this.#most);
  }

  /** The newest first. */
  get list(): readonly ReloadView[] {
    return this.#reloads;
  }
}
