// SPDX-License-Identifier: Apache-2.0
/** `make bench-guard`: fails when a request costs more instructions or system calls than it did; `make bench-baseline` writes the counts anew. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Baseline, compare, TOLERANCE } from "./compare.ts";
import { type Figures, measureFigures } from "./figures.ts";

const LOOKS = 5;
const BASELINE = new URL("baseline.json", import.meta.url);

const print = (text: string) => process.stdout.write(`${text}\n`);

function readToolchain(): string {
  const ask = (...args: string[]) => execFileSync("gcc", args, { encoding: "utf8" }).trim();
  return `${ask("-dumpmachine")} gcc ${ask("-dumpfullversion")}`;
}

/** Noise only adds, and does not stay; what costs more does. */
async function lookAgain(baseline: Baseline, first: Figures): Promise<Figures> {
  const figures = { ...first };
  for (let again = 0; again < LOOKS; again++) {
    const worse = compare(baseline, toolchain, figures).filter(({ verdict }) => verdict === "worse");
    for (const { name, now } of worse) {
      print(`${name}: ${now}, counted again`);
      const figure = (await measureFigures(bin, name))[name];
      figures[name] = Math.min(now, figure ?? now);
    }
  }
  return figures;
}

const toolchain = readToolchain();
const bin = resolve(process.env.EVENER_BIN ?? "dist/bin");
const figures = await measureFigures(bin);
if (process.argv[2] === "--write") {
  const baseline: Baseline = { toolchain, figures };
  writeFileSync(BASELINE, `${JSON.stringify(baseline, null, 2)}\n`);
  print(`bench-baseline: wrote ${Object.keys(figures).length} counts for ${toolchain}`);
} else {
  const baseline: Baseline = JSON.parse(readFileSync(BASELINE, "utf8"));
  const all = compare(baseline, toolchain, await lookAgain(baseline, figures));
  for (const { name, before, now, verdict } of all) {
    print(
      `${name.padEnd(52)} ${String(before ?? "-").padStart(10)} → ${String(now).padStart(10)}  ${verdict}`,
    );
  }
  const worse = all.filter(({ verdict }) => verdict === "worse").length;
  const better = all.filter(({ verdict }) => verdict === "better").length;
  if (better > 0) print("bench-guard: some counts are better; `make bench-baseline` keeps it so");
  print(
    `bench-guard: ${all.length - worse} passed, ${worse} failed (more than ${TOLERANCE * 100} % above the baseline)`,
  );
  if (worse > 0) process.exitCode = 1;
}
