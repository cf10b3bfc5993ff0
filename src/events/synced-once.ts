// SPDX-License-Identifier: Apache-2.0
/** Which Ingresses are served for the first time. */
import type { IngressStatus, Problem } from "../model/types.ts";

export class SyncedOnce {
  /** By uid, so that an Ingress that is deleted and made again is a new one. */
  #known = new Set<string>();

  /**
   * The statuses of Ingresses that are served without an error and were not before. `isKnown` tells of those that
   * another replica, or this one before a restart, has dealt with.
   */
  update(
    statuses: readonly IngressStatus[],
    problems: readonly Problem[],
    isKnown: (status: IngressStatus) => boolean,
  ): readonly IngressStatus[] {
    const faulty = new Set(problems.flatMap(({ ref, severity }) => (severity === "error" ? [ref.uid] : [])));
    const next = new Set<string>();
    const first: IngressStatus[] = [];
    for (const status of statuses) {
      const { uid } = status.ref;
      if (uid === undefined) continue;
      if (this.#known.has(uid)) next.add(uid);
      else if (status.hosts.length > 0 && !faulty.has(uid)) {
        next.add(uid);
        if (!isKnown(status)) first.push(status);
      }
    }
    this.#known = next;
    return first;
  }
}
