// SPDX-License-Identifier: Apache-2.0
/**
 * `make bench-feasibility`: what Hitch and Balance cost apart and together, and what the other ways of building such a thing would.
 * `--rounds N`; `--write` puts the tables into docs/feasibility.md. Results: dist/bench/feasibility.{md,json}.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeFigures } from "../lib/docs.ts";
import { describeMachine, versionOf } from "../lib/machine.ts";
import { type Effort, measure } from "./measure.ts";
import { BALANCE, HAPROXY, HITCH, listBuilds, listRelays, WAYS } from "./subjects.ts";
import { type Measured, tabulateAlone, tabulateBuilds, tabulateJoining, tabulateRelays } from "./tables.ts";

const OUT = resolve("dist/bench");
const BIN = resolve("dist/bin");

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
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

async function main(): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  const relays = listRelays(buildForkRelay());
  const builds = listBuilds(buildVariants());
  const versions = [
    versionOf("haproxy -v"),
    versionOf("nginx -v"),
    versionOf("gcc --version"),
    versionOf("ldd --version"),
  ];
  const texts = [
    `Measured by \`make bench-feasibility\`: ${describeMachine(versions, effort.rounds)}. ${effort.idle} connections for memory.`,
  ];
  const show = (title: string, table: string) => {
    texts.push(`### ${title}`, table);
    process.stdout.write(`### ${title}\n\n${table}\n\n`);
  };

  const parts = await measure(
    [HITCH, BALANCE.tcp, BALANCE.http, ...WAYS.tcp, ...WAYS.http],
    BIN,
    effort,
    false,
  );
  const lanes = [
    { name: "TCP lane", ways: WAYS.tcp.map((way) => find(parts, way)) },
    { name: "HTTP lane", ways: WAYS.http.map((way) => find(parts, way)) },
  ];
  const hitch = find(parts, HITCH);
  show(
    "Alone and together",
    tabulateAlone([
      hitch,
      find(parts, BALANCE.tcp),
      find(parts, BALANCE.http),
      ...lanes.flatMap(({ name, ways }) =>
        ways.slice(0, 1).map((first) => ({ ...first, name: `Hitch and Balance, ${name}` })),
      ),
    ]),
  );
  show("Joined: a kept-alive request", tabulateJoining(hitch, lanes, "requests"));
  show("Joined: a new connection", tabulateJoining(hitch, lanes, "connections"));

  const relayed = await measure(relays, BIN, effort, true);
  show("One process for all, or one for each", tabulateRelays(relayed, find(relayed, HAPROXY)));

  const built = await measure(builds, BIN, effort, true);
  show("Allocator and C library", tabulateBuilds(built));

  writeFileSync(join(OUT, "feasibility.json"), `${JSON.stringify({ parts, relayed, built }, null, 2)}\n`);
  writeFileSync(join(OUT, "feasibility.md"), `${texts.join("\n\n")}\n`);
  if (options.write)
    writeFigures("docs/feasibility.md", "make bench-feasibility BENCH_FLAGS=--write", texts.join("\n\n"));
}

await main();
