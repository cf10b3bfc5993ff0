// SPDX-License-Identifier: Apache-2.0
/** What was told, and when: an Event is written when its cause appears, and now and then while it lasts. */
import { type EventWish, keyOfEvent } from "./event-wish.ts";

/** The API server forgets Events after an hour, and with them the problem would go out of sight. */
export const REFRESH_MS = 30 * 60_000;
/** What comes back within this time is the same story. */
const FORGET_MS = 60 * 60_000;

interface Entry {
  readonly wish: EventWish;
  present: boolean;
  toldAt: number | undefined;
}

export interface BookChanges {
  /** To be told now, by key. */
  readonly due: ReadonlyMap<string, EventWish>;
  /** No longer true: what is still waiting to be told need not be. */
  readonly gone: readonly string[];
}

export class EventBook {
  readonly #entries = new Map<string, Entry>();

  /** `wishes` is all that is true now. */
  update(wishes: readonly EventWish[], now: number): BookChanges {
    const current = new Map(wishes.map((wish) => [keyOfEvent(wish), wish]));
    const gone: string[] = [];
    for (const [key, entry] of this.#entries) {
      if (current.has(key)) continue;
      if (entry.present) gone.push(key);
      entry.present = false;
      if (entry.toldAt === undefined || now - entry.toldAt >= FORGET_MS) this.#entries.delete(key);
    }
    const due = new Map<string, EventWish>();
    for (const [key, wish] of current) {
      const entry = this.#entries.get(key);
      const isNew = entry === undefined || !entry.present;
      if (isNew || entry.toldAt === undefined || now - entry.toldAt >= REFRESH_MS) due.set(key, wish);
      if (entry === undefined) this.#entries.set(key, { wish, present: true, toldAt: undefined });
      else entry.present = true;
    }
    return { due, gone };
  }

  /** True when this process has told it before. */
  wasTold(key: string): boolean {
    return this.#entries.get(key)?.toldAt !== undefined;
  }

  told(key: string, now: number): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.toldAt = now;
  }

  /** Another replica leads: what it tells is not known here. */
  clear(): void {
    this.#entries.clear();
  }
}
