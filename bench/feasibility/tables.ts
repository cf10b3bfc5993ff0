// SPDX-License-Identifier: Apache-2.0
/** What was measured → the tables of docs/feasibility.md. */
import { mean, median } from "../lib/figures.ts";
import { toCell, toRatio, toTable } from "../lib/table.ts";

/** CPU microseconds per unit of work. */
export interface Sample {
  /** Of the whole process tree, and what of it was spent outside the kernel. */
  readonly us: number;
  readonly user: number;
  /** Of Balance, where Hitch is in the tree, too. */
  readonly balance?: { readonly us: number; readonly user: number };
}

export interface Measured {
  readonly name: string;
  /** One for each round, in their order. */
  readonly requests: readonly Sample[];
  readonly connections: readonly Sample[];
  /** Memory per connection. */
  readonly kb?: number;
}

export type Work = "requests" | "connections";

const totals = (measured: Measured, work: Work): number[] => measured[work].map(({ us }) => us);

const orNothing = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : "");

/**
 * What is left when the way from Hitch to Balance costs nothing: Hitch alone has the client's and the pod's socket, and Balance adds
 * what it does outside the kernel. That is a mean over all rounds, since the kernel finds it by sampling (cputime_adjust() of Linux:
 * the run time is exact, its parts are in the ratio of the ticks seen so far).
 */
export function boundOf(hitch: readonly Sample[], together: readonly Sample[]): number[] {
  const user = mean(together.flatMap(({ balance }) => balance?.user ?? []));
  return Number.isFinite(user) ? hitch.map(({ us }) => us + user) : [];
}

export function tabulateAlone(measured: readonly Measured[]): string {
  return toTable(
    ["", "CPU µs per request (spread)", "CPU µs per new connection (spread)"],
    measured.map((one) => [one.name, toCell(totals(one, "requests")), toCell(totals(one, "connections"), 0)]),
  );
}

/** `ways` are those of one lane. Balance is a process of its own in the first of them, and shows there what its work costs. */
export function tabulateJoining(
  hitch: Measured,
  lanes: readonly { readonly name: string; readonly ways: readonly Measured[] }[],
  work: Work,
): string {
  const digits = work === "requests" ? 1 : 0;
  const alone = totals(hitch, work);
  const row = (name: string, us: readonly number[], samples: readonly Sample[]) => {
    const split = samples.flatMap(({ us: all, balance }) =>
      balance === undefined ? [] : [{ hitch: all - balance.us, balance: balance.us, user: balance.user }],
    );
    const cells = [
      orNothing(median(split.map((one) => one.hitch)), digits),
      orNothing(median(split.map((one) => one.balance)), digits),
      orNothing(mean(split.map((one) => one.user)), digits),
    ];
    return [name, toCell(us, digits), toRatio(us, alone), ...cells];
  };
  const rows = lanes.flatMap(({ name, ways }) => [
    ...ways
      .slice(0, 1)
      .map((first) => row(`${name}, bound: no hop at all`, boundOf(hitch[work], first[work]), [])),
    ...ways.map((way) => row(way.name, totals(way, work), way[work])),
  ]);
  const unit = work === "requests" ? "request" : "new connection";
  return toTable(
    [
      "",
      `CPU µs per ${unit} (spread)`,
      "to Hitch alone",
      "of it Hitch",
      "of it Balance",
      "of that outside the kernel",
    ],
    [row(hitch.name, alone, []), ...rows],
  );
}

/** Beside haproxy, and beside the one that has a process per connection and nothing else. */
export function tabulateRelays(measured: readonly Measured[], haproxy: Measured, forking: Measured): string {
  const compare = (one: Measured, work: Work, other: Measured) =>
    toRatio(totals(one, work), totals(other, work));
  return toTable(
    [
      "relay",
      "CPU µs per new connection (spread)",
      "to haproxy",
      "to a process each",
      "CPU µs per request (spread)",
      "to haproxy",
      "to a process each",
      "of it outside the kernel",
      "KB per connection",
    ],
    measured.map((one) => [
      one.name,
      toCell(totals(one, "connections")),
      compare(one, "connections", haproxy),
      compare(one, "connections", forking),
      toCell(totals(one, "requests")),
      compare(one, "requests", haproxy),
      compare(one, "requests", forking),
      orNothing(mean(one.requests.map(({ user }) => user)), 1),
      one.kb?.toFixed(1) ?? "",
    ]),
  );
}

/** Beside the first, which is the product. */
export function tabulateBuilds(measured: readonly Measured[]): string {
  const [product] = measured;
  const compare = (one: Measured, work: Work) =>
    product === undefined ? "" : toRatio(totals(one, work), totals(product, work));
  return toTable(
    [
      "build",
      "CPU µs per request (spread)",
      "to the product",
      "CPU µs per new connection (spread)",
      "to the product",
      "KB per idle TLS connection",
    ],
    measured.map((one) => [
      one.name,
      toCell(totals(one, "requests")),
      compare(one, "requests"),
      toCell(totals(one, "connections"), 0),
      compare(one, "connections"),
      one.kb?.toFixed(1) ?? "",
    ]),
  );
}
