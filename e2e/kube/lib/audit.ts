// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";

export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly stage: string;
  readonly user?: { readonly username?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

export async function readAudit(path: string, user: string): Promise<AuditEvent[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as AuditEvent];
      } catch {
        return []; // The last line may be in the middle of being written.
      }
    })
    .filter((event) => event.user?.username === user);
}

/** What RBAC said no to, as `verb URI`. */
export function listDenied(events: readonly AuditEvent[]): string[] {
  const denied = events.filter((event) => event.annotations?.["authorization.k8s.io/decision"] === "forbid");
  return [...new Set(denied.map((event) => `${event.verb} ${event.requestURI}`))];
}
