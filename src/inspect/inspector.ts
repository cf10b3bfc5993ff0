// SPDX-License-Identifier: Apache-2.0
/** Puts together what there is to see: the newest rebuild, what was applied of it, and what Balance says of itself. */
import type { Applier } from "../apply/applier.ts";
import type { BalanceClient } from "../balance-client/client.ts";
import type { BalancePool, BalanceStatus } from "../balance-client/types.ts";
import { VERSION } from "../cli/version.ts";
import type { Clock } from "../clock.ts";
import type { Latest } from "../loop/controller.ts";
import { formatRef } from "../model/refs.ts";
import type { Problem } from "../model/types.ts";
import { describeCertificates } from "./describe-certificates.ts";
import { describePools } from "./describe-pools.ts";
import { describeRoutes } from "./describe-routes.ts";
import type { Generations } from "./generations.ts";
import type { ReloadHistory } from "./reload-history.ts";
import type { ChildView, Inspection, ProblemView } from "./types.ts";

export interface InspectorOptions {
  readonly clock: Clock;
  readonly startedAt: number;
  readonly latest: () => Latest | undefined;
  readonly problems: () => readonly Problem[];
  readonly missing: () => readonly string[];
  readonly children: () => readonly Omit<ChildView, "current">[];
  readonly applier: Pick<Applier, "applied">;
  readonly client: Pick<BalanceClient, "status" | "pools">;
  readonly generations: Generations;
  readonly reloads: ReloadHistory;
}

export interface Inspector {
  inspect(): Promise<Inspection>;
  /** The text of a rendered file. */
  file(name: string): string | undefined;
}

/** However many look at a time, Balance is not asked more often than this. */
const FRESH_MS = 500;

type Live =
  | { readonly balance: BalanceStatus; readonly pools: readonly BalancePool[] }
  | { readonly error: string };

export function createInspector(options: InspectorOptions): Inspector {
  const { clock, client, generations } = options;
  let asked: { readonly at: number; readonly live: Promise<Live> } | undefined;
  const ask = (): Promise<Live> => {
    const now = clock.now();
    if (asked === undefined || now - asked.at >= FRESH_MS || now < asked.at) {
      asked = { at: now, live: askBalance(client) };
    }
    return asked.live;
  };
  return {
    file: (name) => generations.text(name),
    inspect: async () => describe(options, await ask()),
  };
}

async function askBalance(client: InspectorOptions["client"]): Promise<Live> {
  try {
    return { balance: await client.status(), pools: await client.pools() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function describe(options: InspectorOptions, live: Live): Inspection {
  const { clock, startedAt, applier, generations, reloads } = options;
  const now = clock.now();
  const latest = options.latest();
  const { hitch, balance } = applier.applied;
  const applied = new Map([
    ["hitch.conf", hitch?.conf],
    ["balance.conf", balance?.conf],
  ]);
  const files = generations.list((name, text) =>
    applied.has(name) ? applied.get(name) === text : undefined,
  );
  const current = new Map(files.map(({ name, live: isLive }) => [name, isLive]));
  return {
    version: VERSION,
    at: new Date(now).toISOString(),
    startedAt: new Date(startedAt).toISOString(),
    missing: options.missing(),
    children: options.children().map((child) => {
      const isCurrent = current.get(`${child.name}.conf`);
      return { ...child, ...(isCurrent === undefined ? {} : { current: isCurrent }) };
    }),
    ...("error" in live ? { balanceError: live.error } : { balance: live.balance }),
    routes: latest === undefined ? [] : describeRoutes(latest.model),
    certificates: latest === undefined ? [] : describeCertificates(latest.model.ir, now),
    pools:
      latest === undefined ? [] : describePools(latest.model.ir, "error" in live ? undefined : live.pools),
    problems: options.problems().map(describeProblem),
    files,
    reloads: reloads.list,
  };
}

function describeProblem({ ref, severity, reason, field, message }: Problem): ProblemView {
  return { object: formatRef(ref), severity, reason, ...(field === undefined ? {} : { field }), message };
}
