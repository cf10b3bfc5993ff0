// SPDX-License-Identifier: Apache-2.0
/**
 * `make bench-feasibility`: what Hitch and Balance cost apart and together, and what the other ways of building such a thing would.
 * `--rounds N`; `--only joining`, `relays` or `builds`; `--write` puts the tables into docs/feasibility.md. Results: dist/bench/feasibility.{md,json}.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeFigures } from "../lib/docs.ts";
import { describeMachine, versionOf } from "../lib/machine.ts";
import { type Effort, measure } from "./measure.ts";
import { BALANCE, HITCH, listBuilds, listRelays, WAYS } from "./subjects.ts";
import { type Measured, tabulateAlone, tabulateBuilds, tabulateJoining, tabulateRelays } from "./tables.ts";

const OUT = resolve("dist/bench");
const BIN = resolve("dist/bin");

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const effort: Effort = { rounds: Number(options.rounds), connections: 1500, idle: 1000 };

/** The one of this name; a missing one is a mistake in this file. */
function find(measured: readonly Measured[], { name }: { readonly name: string }): Measured {
  const found = measured.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

function buildForkRelay(): string {
  const program = join(OUT, "fork-relay");
  const source = join(import.meta.dirname, "fork-relay.c");
  const flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"];
  execFileSync("gcc", [...flags, "-o", program, source], { stdio: "inherit" });
  return program;
}

function buildVariants(): string {
  const dir = join(OUT, "variants");
  execFileSync(join(import.meta.dirname, "variants.sh"), [dir], { stdio: "inherit" });
  return dir;
}

const texts: string[] = [];

function show(title: string, table: string): void {
  texts.push(`### ${title}\n\n${table}`);
  process.stdout.write(`${texts.at(-1)}\n\n`);
}

async function compareJoining(): Promise<readonly Measured[]> {
  const subjects = [HITCH, BALANCE.tcp, BALANCE.http, ...WAYS.tcp, ...WAYS.http];
  const measured = await measure(subjects, BIN, effort, false);
  const lanes = [
    { name: "TCP lane", ways: WAYS.tcp.map((way) => find(measured, way)) },
    { name: "HTTP lane", ways: WAYS.http.map((way) => find(measured, way)) },
  ];
  const hitch = find(measured, HITCH);
  const together = lanes.flatMap(({ name, ways }) =>
    ways.slice(0, 1).map((first) => ({ ...first, name: `Hitch and Balance, ${name}` })),
  );
  show(
    "Alone and together",
    tabulateAlone([hitch, find(measured, BALANCE.tcp), find(measured, BALANCE.http), ...together]),
  );
  show("Joined: a kept-alive request", tabulateJoining(hitch, lanes, "requests"));
  show("Joined: a new connection", tabulateJoining(hitch, lanes, "connections"));
  return measured;
}

async function compareRelays(): Promise<readonly Measured[]> {
  const relays = listRelays(buildForkRelay());
  const measured = await measure(Object.values(relays), BIN, effort, true);
  const [haproxy, forking] = [find(measured, relays.haproxy), find(measured, relays.forking)];
  show("One process for all, or one for each", tabulateRelays(measured, haproxy, forking));
  return measured;
}

async function compareBuilds(): Promise<readonly Measured[]> {
  const measured = await measure(listBuilds(buildVariants()), BIN, effort, true);
  show("Allocator and C library", tabulateBuilds(measured));
  return measured;
}

async function main(): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  const versions = ["haproxy -v", "nginx -v", "gcc --version", "ldd --version"].map(versionOf);
  texts.push(`Measured by \`make bench-feasibility\`: ${describeMachine(versions, effort.rounds)}.`);
  const results: Record<string, readonly Measured[]> = {};
  for (const [id, compare] of Object.entries({
    joining: compareJoining,
    relays: compareRelays,
    builds: compareBuilds,
  }))
    if (id.startsWith(options.only)) results[id] = await compare();
  const text = texts.join("\n\n");
  writeFileSync(join(OUT, "feasibility.json"), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(OUT, "feasibility.md"), `${text}\n`);
  if (options.write) writeFigures("docs/feasibility.md", "make bench-feasibility BENCH_FLAGS=--write", text);
}

await main();
