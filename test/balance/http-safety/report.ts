// SPDX-License-Identifier: Apache-2.0
// Where Balance and its peers part ways, as a Markdown table.
import type { Case } from "./case.ts";
import type { Peer } from "./peers.ts";
import type { Outcome } from "./send.ts";

const isRefusal = (status: number) => status >= 400;

/** "2 requests, then 400", "400", "closed". */
export function summary(o: Outcome): string {
  const refusals = o.statuses.filter(isRefusal).join(" ");
  const ending = refusals !== "" ? refusals : o.statuses.length === 0 ? (o.closed ? "closed" : "silent") : "";
  if (o.reached === "") return refusals !== "" ? refusals : `${o.statuses.join(" ")} ${ending}`.trim();
  const noun = o.requests === 1 ? "forwarded" : `${o.requests} forwarded`;
  return ending === "" ? noun : `${noun}, ${ending}`;
}

/** What matters for safety: how many requests got through, and whether something was refused. */
function verdict(o: Outcome): string {
  return `${o.reached === "" ? 0 : o.requests} ${o.statuses.some(isRefusal) || o.statuses.length === 0}`;
}

const cell = (text: string) => text.replaceAll("|", "\\|");

export interface Report {
  text: string;
  differing: Map<string, number>;
}

export function writeReport(
  cases: readonly Case[],
  ours: Map<Case, Outcome>,
  peers: { peer: Peer; outcomes: Map<Case, Outcome> }[],
): Report {
  const differing = new Map(peers.map(({ peer }) => [peer.name, 0]));
  const rows: string[] = [];
  for (const item of cases) {
    const own = ours.get(item);
    if (own === undefined) continue;
    const cells = peers.map(({ peer, outcomes }) => {
      const theirs = outcomes.get(item);
      if (theirs === undefined || verdict(theirs) === verdict(own)) return "same";
      differing.set(peer.name, (differing.get(peer.name) ?? 0) + 1);
      return summary(theirs);
    });
    if (cells.some((c) => c !== "same"))
      rows.push(`| ${[item.name, item.rfc, summary(own), ...cells].map(cell).join(" | ")} |`);
  }
  const names = peers.map(({ peer }) => `${peer.name} ${peer.version}`);
  const text = [
    "# Requests that Balance and its peers treat differently",
    "",
    `${cases.length} cases; the peers run with the settings of an ordinary ingress. Listed are those where another number of`,
    "requests reached the backend, or where one refused and the other did not.",
    "",
    `| ${["case", "RFC", "Balance", ...names].join(" | ")} |`,
    `|${"---|".repeat(3 + names.length)}`,
    ...rows,
    "",
  ].join("\n");
  return { text, differing };
}
