// SPDX-License-Identifier: Apache-2.0
/** The inspection as HTML. Every value goes through Handlebars' escaping, and what can't be seen is made visible first. */
import Handlebars from "handlebars";
import { readTemplate } from "../render/templates.ts";
import {
  formatTime,
  makeChildTable,
  makeFileTable,
  makeListenerTable,
  makeTables,
  SECTION_TITLES,
  SECTIONS,
  type Section,
  summarise,
  type Table,
} from "./tables.ts";
import type { FileView, Inspection } from "./types.ts";
import { visible } from "./visible.ts";

export const PAGES = ["overview", ...SECTIONS, "files"] as const;
export type Page = (typeof PAGES)[number];

export interface PageRequest {
  readonly page: Page;
  /** Rows that have this in them. */
  readonly filter: string;
  /** The first row of those. */
  readonly from: number;
  readonly file: (name: string) => string | undefined;
}

/** Rows in one answer. */
const MOST_ROWS = 500;
const MAX_SHOWN_TEXT = 256 * 1024;

const TITLES: Readonly<Record<Page, string>> = { overview: "Overview", ...SECTION_TITLES, files: "Files" };

/** Words of a column `State` and how they are meant. */
const MEANINGS: Readonly<Record<string, "good" | "fair" | "bad">> = {
  up: "good",
  ready: "good",
  ok: "good",
  live: "good",
  probing: "fair",
  draining: "fair",
  disabled: "fair",
  starting: "fair",
  backoff: "bad",
  failed: "bad",
  stopped: "bad",
  warning: "fair",
  error: "bad",
  "expires soon": "fair",
  expired: "bad",
  down: "bad",
  ejected: "bad",
  refused: "bad",
  unverified: "bad",
  "not live": "bad",
};

const PARTS = ["table", "pager", "overview", "section", "files"] as const;

export function createPages(): (inspection: Inspection, request: PageRequest) => string {
  // An environment of its own: partials of other templates have no business here.
  const handlebars = Handlebars.create();
  for (const part of PARTS) handlebars.registerPartial(part, readTemplate(`page/${part}.hbs`));
  const layout = handlebars.compile(readTemplate("page/layout.hbs"), {
    strict: true,
    knownHelpersOnly: true,
  });
  return (inspection, request) => layout(describePage(inspection, request));
}

function describePage(inspection: Inspection, request: PageRequest) {
  const { page, filter } = request;
  const problems = inspection.problems.length;
  return {
    title: TITLES[page],
    version: inspection.version,
    at: inspection.at,
    time: formatTime(inspection.at),
    ready: inspection.missing.length === 0,
    nav: PAGES.map((one) => ({
      href: one === "overview" ? "./" : one,
      text: TITLES[one],
      current: one === page,
      count: one === "problems" && problems > 0 ? String(problems) : "",
    })),
    filter: visible(filter),
    isOverview: page === "overview",
    isFiles: page === "files",
    isSection: page !== "overview" && page !== "files",
    ...describeBody(inspection, request),
  };
}

function describeBody(inspection: Inspection, request: PageRequest) {
  const { page } = request;
  const show = (table: Table) => describeTable(table, request);
  if (page === "overview") {
    return {
      facts: summarise(inspection).map(([name, value]) => ({ name, value: visible(value) })),
      tables: [
        makeChildTable(inspection),
        makeListenerTable(inspection),
        ...makeTables("problems", inspection),
      ].map(show),
      files: [],
    };
  }
  if (page === "files") {
    const shown = inspection.files.map((file) => describeFile(file, request.file(file.name) ?? ""));
    return { facts: [], tables: [show(makeFileTable(inspection))], files: shown };
  }
  return { facts: [], tables: makeTables(page satisfies Section, inspection).map(show), files: [] };
}

function describeTable({ id, title, empty, titles, rows }: Table, { page, filter, from }: PageRequest) {
  const wanted = filter.toLowerCase();
  const found = rows.filter((cells) => cells.some((cell) => cell.toLowerCase().includes(wanted)));
  const shown = found.slice(from, from + MOST_ROWS);
  const link = (start: number) =>
    `${page === "overview" ? "./" : page}?${new URLSearchParams({ q: filter, from: String(start) })}`;
  const columns = titles.map((text) => ({ text: text.replace(/^>/, ""), number: text.startsWith(">") }));
  const later = from + MOST_ROWS;
  return {
    id,
    title,
    empty: rows.length === 0 ? empty : "No row has that in it.",
    total: rows.length,
    range:
      shown.length === found.length
        ? `${found.length}${found.length === rows.length ? "" : ` of ${rows.length}`}`
        : `${from + 1} to ${from + shown.length} of ${found.length}`,
    columns,
    hasRows: shown.length > 0,
    rows: shown.map((cells) => ({
      cells: cells.map((cell, i) => {
        const { text = "", number = false } = columns[i] ?? {};
        const meaning = text === "State" ? (MEANINGS[cell] ?? "") : "";
        return {
          text: visible(cell),
          label: text,
          first: i === 0,
          number,
          meaning,
          long: isLong(cell) && !number,
        };
      }),
    })),
    before: from > 0 ? link(Math.max(0, from - MOST_ROWS)) : "",
    after: later < found.length ? link(later) : "",
  };
}

/** Has a word that would make its column too wide. */
function isLong(cell: string): boolean {
  return /\S{36}/.test(cell);
}

function describeFile({ name, live, changedAt, diff, different = false }: FileView, text: string) {
  const isCut = text.length > MAX_SHOWN_TEXT;
  const lines = diff === undefined ? [] : diff.split("\n").slice(2, -1);
  return {
    name: visible(name),
    href: `files/${encodeURIComponent(name.toWellFormed())}`,
    notLive: live === false,
    changedAt,
    time: formatTime(changedAt),
    isFirst: diff === undefined && !different,
    different,
    same: diff === "",
    lines: lines.map((line) => ({
      text: visible(line),
      added: line.startsWith("+"),
      removed: line.startsWith("-"),
      place: line.startsWith("@@"),
    })),
    text: visible(isCut ? text.slice(0, MAX_SHOWN_TEXT) : text, true),
    isCut,
    count: text.split("\n").length - 1,
  };
}
