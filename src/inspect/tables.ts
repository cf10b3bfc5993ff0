// SPDX-License-Identifier: Apache-2.0
/** An inspection as tables: the same ones for the page and for the terminal. */
import { describePool, POOL_TITLES } from "../cli/ctl-tables.ts";
import { ANY_HOST } from "../model/names.ts";
import type { Inspection, RouteView } from "./types.ts";

export interface Table {
  readonly id: string;
  readonly title: string;
  /** Instead of the table when it has no rows. */
  readonly empty: string;
  /** A title in front of `>` stands over numbers. */
  readonly titles: readonly string[];
  /** The first cell names the row. */
  readonly rows: readonly (readonly string[])[];
}

const NONE = "-";

export const SECTIONS = ["routes", "certificates", "pools", "problems", "reloads"] as const;
export type Section = (typeof SECTIONS)[number];

export const SECTION_TITLES: Readonly<Record<Section, string>> = {
  routes: "Routes",
  certificates: "Certificates",
  pools: "Pools",
  problems: "Problems",
  reloads: "Reloads",
};

const MAKERS: Readonly<Record<Section, (inspection: Inspection) => readonly Table[]>> = {
  routes: ({ routes }) => [
    {
      id: "routes",
      title: "Hosts and routes",
      empty: "No host is served.",
      titles: ["Host", "Path", "Lane", "Pool", "Certificate", "Treatment", "Ingresses"],
      rows: routes.map(listRouteCells),
    },
  ],
  certificates: ({ certificates }) => [
    {
      id: "certificates",
      title: "Certificates",
      empty: "There is no certificate yet.",
      titles: ["Secret", "State", "Expires", ">Days left", "Names", "Client certificate", "File"],
      rows: certificates.map((one) => [
        one.secret ?? "(generated)",
        one.validity,
        formatTime(one.notAfter),
        one.daysLeft === undefined ? NONE : String(one.daysLeft),
        [...(one.isDefault ? ["(default)"] : []), ...one.hosts].join(" ") || NONE,
        one.clients ?? NONE,
        `${one.id.slice(0, 12)}`,
      ]),
    },
  ],
  pools: ({ pools }) => {
    const special = pools.filter(({ how }) => how.length > 0);
    return [
      {
        id: "pools",
        title: "Pools and their endpoints",
        empty: "There are no pools.",
        titles: POOL_TITLES.map(toTitle),
        rows: pools.flatMap(describePool),
      },
      {
        id: "settings",
        title: "Pools with settings of their own",
        empty: "All pools have the usual settings.",
        titles: ["Pool", ">Waiting", "Settings"],
        rows: special.map(({ pool, queued = 0, how }) => [pool, String(queued), how.join("; ")]),
      },
    ];
  },
  problems: ({ problems }) => [
    {
      id: "problems",
      title: "Problems by object",
      empty: "No problems.",
      titles: ["Object", "State", "Reason", "Field", "Message"],
      rows: sortProblems(problems).map((one) => [
        one.object,
        one.severity,
        one.reason,
        one.field ?? NONE,
        one.message,
      ]),
    },
  ],
  reloads: ({ reloads }) => [
    {
      id: "reloads",
      title: "Reloads, the newest first",
      empty: "There was no reload yet.",
      titles: ["Time", "Child", "Reason", "State", ">Milliseconds", "Detail"],
      rows: reloads.map((one) => [
        formatTime(one.at),
        one.child,
        one.reason,
        one.result,
        String(one.milliseconds),
        one.message ?? NONE,
      ]),
    },
  ],
};

export function makeTables(section: Section, inspection: Inspection): readonly Table[] {
  return MAKERS[section](inspection);
}

export function makeChildTable({ children }: Inspection): Table {
  return {
    id: "children",
    title: "Processes",
    empty: "No process runs.",
    titles: ["Process", "State", ">Pid", "Configuration"],
    rows: children.map(({ name, phase, pid, current }) => [
      name,
      phase,
      pid === undefined ? NONE : String(pid),
      current === undefined ? NONE : current ? "newest" : "older",
    ]),
  };
}

export function makeListenerTable({ balance }: Inspection): Table {
  return {
    id: "listeners",
    title: "Listeners of Balance",
    empty: "Balance does not answer.",
    titles: ["Listener", "Address", ">Active", ">Accepted", ">No route", ">No channel", ">Proxy errors"],
    rows: (balance?.listeners ?? []).map((one) => [
      one.name,
      one.address,
      ...[one.active, one.accepted, one.no_route, one.no_channel, one.proxy_errors].map(String),
    ]),
  };
}

export function makeFileTable({ files }: Inspection): Table {
  return {
    id: "files",
    title: "Rendered files",
    empty: "Nothing has been rendered yet.",
    titles: ["File", "State", "Changed", ">Bytes", "SHA-256"],
    rows: files.map(({ name, live, changedAt, bytes, sha256 }) => [
      name,
      live === undefined ? NONE : live ? "live" : "not live",
      formatTime(changedAt),
      String(bytes),
      sha256.slice(0, 16),
    ]),
  };
}

/** What the overview says first, name and value. */
export function summarise(inspection: Inspection): readonly (readonly [string, string])[] {
  const { routes, certificates, pools, problems, missing, balance, balanceError } = inspection;
  const channels = pools.flatMap(({ groups }) => groups.flatMap((group) => group.channels));
  const down = channels.filter(({ state = "up" }) => state !== "up").length;
  const ailing = certificates.filter(({ validity }) => validity !== "ok").length;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const hosts = new Set(routes.map(({ host }) => host)).size;
  return [
    ["Ready", missing.length === 0 ? "yes" : `no: ${missing.join("; ")}`],
    ["Routes", `${routes.length}, of ${count(hosts, "host")}`],
    [
      "Certificates",
      ailing === 0 ? String(certificates.length) : `${certificates.length}, ${ailing} to look at`,
    ],
    [
      "Pools",
      `${pools.length}, with ${count(channels.length, "endpoint")}${down === 0 ? "" : `, ${down} not up`}`,
    ],
    ["Problems", `${count(errors, "error")}, ${count(problems.length - errors, "warning")}`],
    ["Connections", balance === undefined ? `unknown: ${balanceError ?? ""}` : String(countOpen(inspection))],
    ["Version", inspection.version],
    ["Running since", formatTime(inspection.startedAt)],
  ];
}

function countOpen({ balance }: Inspection): number {
  return (balance?.listeners ?? []).reduce((sum, { active }) => sum + active, 0);
}

function count(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? "" : "s"}`;
}

function listRouteCells(route: RouteView): readonly string[] {
  const { host, path, lane, pool, certificate, how, ingresses } = route;
  return [
    host === ANY_HOST ? "(any host)" : host,
    path === "" ? NONE : path,
    lane,
    pool ?? NONE,
    certificate ?? NONE,
    how.join("; ") || NONE,
    ingresses.join(" ") || NONE,
  ];
}

/** Errors first: something is left out for them. */
function sortProblems(problems: Inspection["problems"]): Inspection["problems"] {
  const rank = { error: 0, warning: 1 } as const;
  return [...problems].sort((a, b) => rank[a.severity] - rank[b.severity]);
}

/** `2026-01-31 08:15:00 UTC`; what is no time stays as it is. */
export function formatTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `>ACTIVE` as `>Active`. */
function toTitle(title: string): string {
  if (title === "LB") return "Strategy";
  return title.replace(/[A-Z]+/, (word) => `${word[0]}${word.slice(1).toLowerCase()}`);
}
