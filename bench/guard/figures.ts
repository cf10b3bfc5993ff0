// SPDX-License-Identifier: Apache-2.0
/** What is counted: the difference of a short and a long run, by the units of work between them, so that start and end cancel out. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Counter, countInstructions, countSystemCalls } from "./counters.ts";
import { type Pod, reconnect, request, startPod, type Target } from "./exchange.ts";

/** Name → count per unit of work. */
export type Figures = Record<string, number>;

const SHORT = 100;
const LONG = 4000;
const RUNS = 2;
const PATIENCE_MS = 30_000;
/** A worker joins within milliseconds; a machine may be busy. */
const JOIN_MS = 500;

interface Plane {
  readonly target: Target;
  /** The program that is counted, and others that it needs. */
  readonly counted: readonly string[];
  readonly beside: readonly (readonly string[])[];
}

type MakePlane = (dir: string, bin: string, pod: Pod, port: number, besidePort: number) => Plane;

const file = (dir: string, name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

const balanceConf = (dir: string, pod: Pod, port: number, more = "") =>
  file(
    dir,
    "balance.conf",
    `workers 1
${more}listen https unix:${dir}/balance.sock proxy=v2 table=web
listen http tcp:127.0.0.1:${port} table=web
pool pods 127.0.0.1:${pod.port}
rule web a.example prefix / pods
`,
  );

const plainHttp: MakePlane = (dir, bin, pod, port) => ({
  target: { port, tls: false },
  counted: [join(bin, "balance"), "--config", balanceConf(dir, pod, port)],
  beside: [],
});

const plainTcp: MakePlane = (dir, bin, pod, port) => ({
  target: { port, tls: false },
  counted: [
    join(bin, "balance"),
    "--config",
    file(
      dir,
      "balance.conf",
      `workers 1\nlisten tcp tcp:127.0.0.1:${port}\npool pods 127.0.0.1:${pod.port}\nroute tcp * pods\n`,
    ),
  ],
  beside: [],
});

const hitchConf = (dir: string, port: number) => {
  execFileSync(
    "openssl",
    [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=a.example".split(
        " ",
      ),
      ...["-addext", "subjectAltName=DNS:a.example", "-keyout", join(dir, "pem"), "-out", join(dir, "cert")],
    ],
    { stdio: "ignore" },
  );
  execFileSync("sh", ["-c", 'cat "$1/cert" >>"$1/pem"', "sh", dir]);
  return file(
    dir,
    "hitch.conf",
    `frontend = { host = "127.0.0.1" port = "${port}" }
backend = "${dir}/balance.sock"
pem-file = "${dir}/pem"
workers = 1
daemon = off
${process.getuid?.() === 0 ? 'user = "nobody"' : ""}
quiet = on
write-proxy-v2 = on
proxy-tlv = on
tls-protos = TLSv1.3
alpn-protos = "http/1.1"
ocsp-dir = "/dev/null/none"
`,
  );
};

const tlsInHitch: MakePlane = (dir, bin, pod, port, besidePort) => ({
  target: { port, tls: true },
  counted: [join(bin, "hitch"), `--config=${hitchConf(dir, port)}`],
  beside: [[join(bin, "balance"), "--config", balanceConf(dir, pod, besidePort)]],
});

/** As Evener runs them. One connection goes over the socket; with it the worker joins. */
const joined: MakePlane = (dir, bin, pod, port, besidePort) => {
  const conf = balanceConf(dir, pod, besidePort, `guests 2 unix:${dir}/join.sock\n`);
  return {
    target: { port, tls: true },
    counted: ["env", `BALANCE_JOIN=${dir}/join.sock`, join(bin, "hitch"), `--config=${hitchConf(dir, port)}`],
    beside: [[join(bin, "balance"), "--config", conf]],
  };
};

const afterJoining =
  (work: Row["work"]): Row["work"] =>
  async (target, n) => {
    await reconnect(target, 1);
    await sleep(JOIN_MS);
    await work(target, n);
  };

interface Row {
  readonly name: string;
  readonly plane: MakePlane;
  readonly count: Counter;
  readonly work: (target: Target, n: number) => Promise<void>;
}

const ROWS: readonly Row[] = [
  {
    name: "Balance, HTTP lane: instructions per request",
    plane: plainHttp,
    count: countInstructions,
    work: request,
  },
  {
    name: "Balance, HTTP lane: system calls per request",
    plane: plainHttp,
    count: countSystemCalls,
    work: request,
  },
  {
    name: "Balance, TCP lane: instructions per exchange",
    plane: plainTcp,
    count: countInstructions,
    work: request,
  },
  {
    name: "Balance, TCP lane: system calls per exchange",
    plane: plainTcp,
    count: countSystemCalls,
    work: request,
  },
  {
    name: "Balance, TCP lane: instructions per connection",
    plane: plainTcp,
    count: countInstructions,
    work: reconnect,
  },
  {
    name: "Balance, TCP lane: system calls per connection",
    plane: plainTcp,
    count: countSystemCalls,
    work: reconnect,
  },
  { name: "Hitch: system calls per request", plane: tlsInHitch, count: countSystemCalls, work: request },
  { name: "Hitch: system calls per connection", plane: tlsInHitch, count: countSystemCalls, work: reconnect },
  {
    name: "Hitch, joined: system calls per request",
    plane: joined,
    count: countSystemCalls,
    work: afterJoining(request),
  },
  {
    name: "Hitch, joined: system calls per connection",
    plane: joined,
    count: countSystemCalls,
    work: afterJoining(reconnect),
  },
];

async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

async function waitFor(port: number): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.unref();
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    if (Date.now() > until) throw new Error(`nothing listens on port ${port}`);
    await sleep(50);
  }
}

async function countOnce(row: Row, bin: string, n: number): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "evener-guard-"));
  chmodSync(dir, 0o755);
  const pod = await startPod();
  const port = await findPort();
  const besidePort = await findPort();
  const plane = row.plane(dir, bin, pod, port, besidePort);
  const beside = plane.beside.map((argv) => startBeside(argv));
  try {
    for (const { ready } of beside) await ready(besidePort);
    // Hitch does without root, and so has to reach the socket as somebody else.
    for (const name of readdirSync(dir)) if (name.endsWith(".sock")) chmodSync(join(dir, name), 0o666);
    const counted = row.count(dir, "count", plane.counted);
    try {
      await waitFor(port);
      await row.work(plane.target, n);
    } catch (cause) {
      await counted.finish();
      throw cause;
    }
    return await counted.finish();
  } finally {
    for (const { stop } of beside) await stop();
    pod.close();
    rmSync(dir, { recursive: true });
  }
}

function startBeside(argv: readonly string[]) {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: "ignore" });
  return {
    ready: waitFor,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise((resolve) => child.once("exit", resolve));
      }
    },
  };
}

/** On a busy machine an event comes in two pieces now and then, which only adds: the least of a few runs is the count. */
async function countLeast(row: Row, bin: string, n: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) least = Math.min(least, await countOnce(row, bin, n));
  return least;
}

/** Counts for the programs in `bin`; `only`: rows whose name holds it. */
export async function measureFigures(bin: string, only = ""): Promise<Figures> {
  const figures: Figures = {};
  for (const row of ROWS.filter(({ name }) => name.includes(only))) {
    const short = await countLeast(row, bin, SHORT);
    const long = await countLeast(row, bin, LONG);
    figures[row.name] = Math.round(((long - short) / (LONG - SHORT)) * 100) / 100;
  }
  return figures;
}
