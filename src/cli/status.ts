// SPDX-License-Identifier: Apache-2.0
/** `evener status`: what a running Evener serves, in the terminal; asks the controller over its socket. */
import { join } from "node:path";
import { Argument, type Command, Option } from "commander";
import { fetchInspection, INSPECT_SOCKET, InspectError } from "../inspect/socket.ts";
import {
  makeChildTable,
  makeFileTable,
  makeListenerTable,
  makeTables,
  SECTIONS,
  type Section,
  summarise,
  type Table,
} from "../inspect/tables.ts";
import type { Inspection } from "../inspect/types.ts";
import { flag, parseRunDir } from "./flags.ts";
import { formatFields, formatTable, printable } from "./table.ts";

const EXIT_NOT_WELL = 1;
/** sysexits(3) */
const EX_UNAVAILABLE = 69;
const TIMEOUT_MS = 10_000;

const SUBJECTS = ["overview", ...SECTIONS, "files"] as const;
type Subject = (typeof SUBJECTS)[number];

interface StatusOptions {
  readonly runDir: string;
  readonly output: "table" | "json";
  readonly strict: boolean;
}

/** Adds the command; `exit` is told the status. */
export function addStatus(program: Command, exit: (status: number) => void): void {
  program
    .command("status")
    .description("what the running Evener serves: exit 0 when ready with the newest configuration, else 1")
    .addArgument(new Argument("[what]", "what to look at").choices(SUBJECTS).default("overview"))
    .addOption(flag("--run-dir <dir>", "run directory of evener run", parseRunDir).default("/run/evener"))
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"),
    )
    .option("--strict", "exit with status 1 also when an object has an error", false)
    .action(async (subject: Subject, options: StatusOptions) => {
      exit(await showStatus(subject, options));
    });
}

async function showStatus(subject: Subject, { runDir, output, strict }: StatusOptions): Promise<number> {
  const socket = join(runDir, INSPECT_SOCKET);
  try {
    const inspection = await fetchInspection(socket, TIMEOUT_MS);
    process.stdout.write(
      output === "json"
        ? `${JSON.stringify(select(subject, inspection), null, 2)}\n`
        : formatSubject(subject, inspection),
    );
    return isWell(inspection, strict) ? 0 : EXIT_NOT_WELL;
  } catch (error) {
    if (!(error instanceof InspectError)) throw error;
    process.stderr.write(`evener: ${explain(error, socket)}\n`);
    return EX_UNAVAILABLE;
  }
}

/** One that was refused a configuration serves, but not what its objects say. */
export function isWell({ missing, children, problems }: Inspection, strict: boolean): boolean {
  if (missing.length > 0 || children.some(({ current }) => current === false)) return false;
  return !(strict && problems.some(({ severity }) => severity === "error"));
}

/** A section by itself is a list; the overview is all of it. */
function select(subject: Subject, inspection: Inspection): unknown {
  return subject === "overview" ? inspection : inspection[subject];
}

export function formatSubject(subject: Subject, inspection: Inspection): string {
  switch (subject) {
    case "overview":
      return formatOverview(inspection);
    case "files":
      return `${format(makeFileTable(inspection))}${formatDiffs(inspection)}`;
    default:
      return formatSection(subject, inspection);
  }
}

function formatOverview(inspection: Inspection): string {
  const tables = [makeChildTable(inspection), makeListenerTable(inspection)];
  const problems = formatSection("problems", inspection);
  return [formatFields(summarise(inspection)), ...tables.map(format), problems].join("\n");
}

function formatSection(section: Section, inspection: Inspection): string {
  const [first, ...others] = makeTables(section, inspection);
  // Where nothing is special there is nothing to say.
  const tables = [...(first === undefined ? [] : [first]), ...others.filter(({ rows }) => rows.length > 0)];
  return tables.map(format).join("\n");
}

function format({ titles, rows, empty }: Table): string {
  if (rows.length === 0) return `${empty}\n`;
  return formatTable(
    titles.map((title) => title.toUpperCase()),
    rows,
  );
}

function formatDiffs({ files }: Inspection): string {
  return files
    .map(({ name, diff, different }) => {
      if (different) return `\n${name}: too little in common with the text before for a diff\n`;
      if (diff === undefined || diff === "") return "";
      return `\n${diff.split("\n").slice(0, -1).map(printable).join("\n")}\n`;
    })
    .join("");
}

function explain(error: InspectError, socket: string): string {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT") return `there is no socket ${socket}; --run-dir says where it is`;
  if (code === "ECONNREFUSED") return `nobody answers on ${socket}: its controller has ended`;
  if (code === "EACCES") return `the socket ${socket} belongs to another user`;
  return `${socket}: ${error.message}`;
}
