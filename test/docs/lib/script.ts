// SPDX-License-Identifier: Apache-2.0
/** One document's commands as one shell script, run as a reader would type them: in order, in one directory, in one shell. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, findOption, ROOT, whereToRun } from "./documents.ts";
import type { Fence } from "./markdown.ts";

const LIMIT_MS = 120_000;

export interface Step {
  readonly fence: Fence;
  /** What the commands printed on standard output; undefined when they were not reached. */
  readonly output: string | undefined;
}

export interface Outcome {
  readonly status: number;
  readonly steps: readonly Step[];
  readonly errors: string;
}

/** Fences that say something to the shell: commands to run, and files to write by `file=NAME`. */
function listSteps({ fences }: Document): readonly Fence[] {
  return fences.filter((fence) =>
    fence.language === "sh" ? whereToRun(fence) === "run" : findOption(fence, "file") !== undefined,
  );
}

export function hasSteps(document: Document): boolean {
  return listSteps(document).some(({ language }) => language === "sh");
}

export async function runDocument(document: Document): Promise<Outcome> {
  const dir = await mkdtemp(join(tmpdir(), "evener-docs-"));
  try {
    // Children of a root run as nobody, and have to get to their run directory.
    await chmod(dir, 0o755);
    const work = join(dir, "work");
    const out = join(dir, "out");
    await mkdir(work);
    await mkdir(out);
    await linkClone(work);
    const steps = listSteps(document);
    for (const [i, { language, text }] of steps.entries()) {
      await writeFile(join(out, `${i}.${language === "sh" ? "sh" : "file"}`), text);
    }
    await writeFile(join(dir, "script.sh"), makeScript(steps, out));
    const { status, errors } = await runScript(join(dir, "script.sh"), work);
    const outputs = await Promise.all(
      steps.map(async (fence, i) => ({
        fence,
        output: await readFile(join(out, `${i}.out`), "utf8").catch(() => undefined),
      })),
    );
    return { status, steps: outputs, errors };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Documents speak from the top of a clone; what they write stays beside it. */
export async function linkClone(work: string): Promise<void> {
  for (const name of await readdir(ROOT)) {
    if (!name.startsWith(".") && name !== "rendered") await symlink(join(ROOT, name), join(work, name));
  }
}

/** A fence with `status=N` ends with that status; every other one has to succeed, command by command. */
function makeScript(steps: readonly Fence[], out: string): string {
  const lines = ["set -eu -o pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"];
  for (const [i, fence] of steps.entries()) {
    const file = findOption(fence, "file");
    if (fence.language !== "sh") {
      lines.push(`cp '${out}/${i}.file' '${file}'`);
      continue;
    }
    const status = findOption(fence, "status");
    lines.push(`echo "line ${fence.line}:" >&2`, `exec >'${out}/${i}.out'`);
    if (status === undefined) lines.push(`. '${out}/${i}.sh'`);
    else {
      lines.push("set +e", `bash '${out}/${i}.sh'`, "got=$?", "set -e");
      lines.push(`[ "$got" = ${status} ] || { echo "status $got, not ${status}" >&2; exit 1; }`);
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

const UNSHARE = [...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--net"];

/** Some systems let nobody but root have a network of their own. */
export function canUnshare(): boolean {
  return spawnSync("unshare", [...UNSHARE, "true"]).status === 0;
}

/** In a network of its own, so that the ports that documents name are free, and nothing can be reached from here. */
function runScript(script: string, cwd: string): Promise<{ status: number; errors: string }> {
  const path = `${join(ROOT, "dist/bin")}:${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`;
  return new Promise((resolve) => {
    execFile(
      "unshare",
      [...UNSHARE, "sh", "-c", 'ip link set lo up && exec bash "$0"', script],
      { cwd, timeout: LIMIT_MS, env: { ...process.env, PATH: path } },
      (error, _stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
        resolve({ status, errors: stderr });
      },
    );
  });
}

/** What helm would install by these commands. Nothing else of them is run. */
export async function renderCharts({ text }: Fence): Promise<string> {
  const helm = execFileSync(join(ROOT, "e2e/tools/helm/build.sh"), { encoding: "utf8" }).trim();
  const stubs = [
    "set -eu",
    "kubectl() { :; }; kind() { :; }; evener() { :; }; curl() { :; }",
    // The first installation of a release has nothing to reuse values of.
    "helm() {",
    '  case "$1" in install | upgrade) ;; *) return 0 ;; esac',
    '  shift; set -- "$@" --end; args=""',
    '  while [ "$1" != --end ]; do [ "$1" = --reset-then-reuse-values ] || args="$args \'$1\'"; shift; done',
    `  eval "'${helm}' template $args"`,
    "}",
  ];
  return execFileSync("bash", ["-c", [...stubs, text].join("\n")], { cwd: ROOT, encoding: "utf8" });
}
