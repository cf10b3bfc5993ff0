// SPDX-License-Identifier: Apache-2.0
/** `evener ctl`: looks at a running Balance and changes it, over its control socket. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ask, BalanceError, type Line } from "../balance-client/client.ts";
import { followBalance } from "../balance-client/follow.ts";
import type { BalanceHttp, BalanceLoad, BalancePool, BalanceStatus } from "../balance-client/types.ts";
import { quote } from "../model/quote.ts";
import {
  formatChannel,
  formatEvent,
  formatHttp,
  formatPools,
  formatStatus,
  formatTop,
} from "./ctl-tables.ts";
import { flag, parseRunDir, parseTimeout, SettingsError } from "./flags.ts";

const EXIT_REFUSED = 1;
/** sysexits(3) */
const EX_UNAVAILABLE = 69;
const TIMEOUT_MS = 10_000;

interface CtlOptions {
  readonly runDir: string;
  readonly socket?: string;
  readonly output: "table" | "json";
  readonly watch?: number;
}

/** What a command works with. */
interface Session {
  readonly socket: string;
  readonly json: boolean;
  /** Lines of an answer but the last, and the last. */
  readonly ask: (command: string) => Promise<{ readonly lines: readonly Line[]; readonly end: Line }>;
  readonly print: (text: string) => void;
  /** Aborted when somebody presses Ctrl-C. */
  readonly signal: AbortSignal;
}

type Act = (session: Session, args: readonly string[], options: CtlOptions) => Promise<void>;

/** Adds the command; `exit` is told the status. */
export function addCtl(program: Command, exit: (status: number) => void): void {
  const ctl = program
    .command("ctl")
    .description("look at the running Balance and change it live")
    .configureHelp({ showGlobalOptions: true })
    .addOption(flag("--run-dir <dir>", "run directory of evener run", parseRunDir).default("/run/evener"))
    .addOption(flag("--socket <path>", "control socket, when it is not RUN_DIR/control.sock", parseSocket))
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(["table", "json"]).default("table"),
    );
  const add = (usage: string, description: string, act: Act): Command =>
    ctl
      .command(usage)
      .description(description)
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        const options = command.optsWithGlobals<CtlOptions>();
        exit(await runSession(options, (session) => act(session, command.args, options)));
      });

  add("status", "version, configuration, workers and listeners", showStatus);
  add("pools [pool]", "every channel: state, weight, what it has and had", (session, [pool]) =>
    showPools(session, pool),
  );
  add("top [n]", "the busiest pools (10)", (session, [n], { watch }) => showTop(session, n, watch)).addOption(
    new Option("-w, --watch <time>", "again and again, with what came in a second meanwhile").argParser(
      parseTimeout,
    ),
  );
  add(
    "channel <pool> <channel> <action> [n]",
    "enable, disable or drain a channel (HOST:PORT), or give it weight N (0 to 256)",
    changeChannel,
  );
  add("follow", "what happens, as it happens", follow);
  add("reset", "count from zero again", reset);
  add("http", "answers by status, and how long they took", showHttp);
}

async function runSession(options: CtlOptions, act: (session: Session) => Promise<void>): Promise<number> {
  const socket = options.socket ?? `${options.runDir}/control.sock`;
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  // `evener ctl follow | head`: whoever read us has seen enough.
  process.stdout.on("error", onSignal);
  try {
    await act({
      socket,
      json: options.output === "json",
      ask: async (command) => {
        const lines = await ask(socket, command, TIMEOUT_MS);
        return { lines: lines.slice(0, -1), end: lines.at(-1) ?? {} };
      },
      print: (text) => process.stdout.write(text),
      signal: stop.signal,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof BalanceError)) throw error;
    process.stderr.write(`evener: ${describeError(error, socket)}\n`);
    return error.code === "REFUSED" ? EXIT_REFUSED : EX_UNAVAILABLE;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

function describeError(error: BalanceError, socket: string): string {
  if (error.code === "REFUSED") return `refused: ${error.message}`;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  const hint = "--run-dir or --socket says where it is";
  if (code === "ENOENT") return `there is no control socket ${socket}; ${hint}`;
  if (code === "ECONNREFUSED") return `nobody answers on the control socket ${socket}: its Balance has ended`;
  if (code === "EACCES") return `the control socket ${socket} belongs to another user`;
  return `control socket ${socket}: ${error.message}`;
}

function printLines({ json, print }: Session, lines: readonly unknown[], table: () => string): void {
  print(json ? lines.map((line) => `${JSON.stringify(line)}\n`).join("") : table());
}

async function showStatus(session: Session): Promise<void> {
  const { end } = await session.ask("status");
  printLines(session, [end], () => formatStatus(end as unknown as BalanceStatus));
}

async function showPools(session: Session, pool: string | undefined): Promise<void> {
  const { lines } = await session.ask(pool === undefined ? "pools" : `pools ${word(pool, "pool")}`);
  printLines(session, lines, () => formatPools(lines as unknown as BalancePool[]));
}

async function showTop(session: Session, n: string | undefined, watch: number | undefined): Promise<void> {
  const most = n === undefined ? 10 : parseCount(n);
  const look = async () => {
    // Whoever is busy now may not have been then: rates need all of them.
    const { lines } = await session.ask(watch === undefined ? `top ${most}` : "top 4294967295");
    return { loads: lines as unknown as BalanceLoad[], at: performance.now() };
  };
  let now = await look();
  printLines(session, now.loads.slice(0, most), () => formatTop(now.loads.slice(0, most)));
  while (watch !== undefined) {
    const before = now;
    await sleep(watch * 1000, undefined, { signal: session.signal }).catch(() => undefined);
    if (session.signal.aborted) return;
    now = await look();
    const loads = now.loads.slice(0, most);
    const seconds = (now.at - before.at) / 1000;
    printLines(session, loads, () => `\n${formatTop(loads, { loads: before.loads, seconds })}`);
  }
}

async function changeChannel(
  session: Session,
  [poolText = "", channelText = "", action = "", n]: readonly string[],
): Promise<void> {
  const pool = word(poolText, "pool");
  const channel = word(channelText, "channel");
  const { end } = await session.ask(`channel ${pool} ${channel} ${describeChange(action, n)}`);
  if (session.json) return session.print(`${JSON.stringify(end)}\n`);
  const { lines } = await session.ask(`pools ${pool}`);
  session.print(formatChannel(lines as unknown as BalancePool[], String(end.channel)));
}

function describeChange(action: string, n: string | undefined): string {
  if (action === "weight") {
    if (n === undefined || !/^\d{1,3}$/.test(n) || Number(n) > 256)
      throw new SettingsError(`weight wants a number from 0 to 256, not ${quote(n ?? "")}`);
    return `weight=${Number(n)}`;
  }
  if (!["enable", "disable", "drain"].includes(action))
    throw new SettingsError(`${quote(action)} is none of enable, disable, drain and weight N`);
  if (n !== undefined) throw new SettingsError(`${action} takes no number`);
  return action;
}

async function follow({ socket, json, print, signal }: Session): Promise<void> {
  await followBalance(
    socket,
    (event) => print(json ? `${JSON.stringify(event)}\n` : `${formatEvent(event)}\n`),
    signal,
  );
}

async function reset(session: Session): Promise<void> {
  const { end } = await session.ask("reset");
  printLines(session, [end], () => "the counters are at zero\n");
}

async function showHttp(session: Session): Promise<void> {
  const { end } = await session.ask("http");
  printLines(session, [end], () => formatHttp(end as unknown as BalanceHttp));
}

/** One word of a control line: what is in it cannot become another command. */
function word(text: string, what: string): string {
  if (/^[\x21-\x7e]{1,320}$/.test(text) && !text.startsWith("#")) return text;
  throw new SettingsError(`${quote(text)} is no ${what}`);
}

function parseCount(text: string): number {
  const n = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (n > 0) return n;
  throw new SettingsError(`${quote(text)} is no number of pools`);
}

function parseSocket(text: string): string {
  // sun_path, its NUL included.
  if (text !== "" && Buffer.byteLength(text) < 108) return text;
  throw new InvalidArgumentError(`${quote(text)} is no path of a socket (1 to 107 bytes).`);
}
