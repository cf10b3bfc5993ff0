// SPDX-License-Identifier: Apache-2.0
/** Somebody at a desk outside of the cluster, who types what the documents say. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findHelm } from "../../../charts/tools/helm.ts";
import { listDocuments, whereToRun } from "../../../test/docs/lib/documents.ts";
import { linkClone } from "../../../test/docs/lib/script.ts";
import { findKubectl, ROOT } from "./assets.ts";
import { DOCUMENTED, type DocumentedName, findDocumented } from "./documented.ts";

const LIMIT_MS = 300_000;
const STOP_MS = 20_000;
/** The status that shells give to what SIGINT has ended. */
const INTERRUPTED = 130;

interface Started {
  readonly child: ChildProcess;
  /** Standard output and standard error. */
  readonly output: string[];
  /** Standard output alone. */
  readonly answers: string[];
}

/** What a reader has to know better than the document: an address of a pod, say. */
export type Substitutes = Readonly<Record<string, string>>;

export class Reader {
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #fences = listDocuments().flatMap(({ path, fences }) =>
    fences
      .filter((fence) => fence.language === "sh" && whereToRun(fence) === "cluster")
      .map((fence) => ({ path, fence })),
  );
  readonly #typed = new Set<DocumentedName>();

  private constructor(dir: string, env: NodeJS.ProcessEnv) {
    this.#dir = dir;
    this.#env = env;
  }

  /** `ca`: whom the reader's curl trusts. */
  static async create(kubeconfig: string, ca: string): Promise<Reader> {
    const dir = await mkdtemp(join(tmpdir(), "evener-reader-"));
    // Children of a root run as nobody, and have to get to their run directory.
    await chmod(dir, 0o755);
    for (const name of ["bin", "work", "home"]) await mkdir(join(dir, name));
    await linkClone(join(dir, "work"));
    const bin = join(dir, "bin");
    await symlink(await findKubectl(), join(bin, "kubectl"));
    await symlink(await findHelm(), join(bin, "helm"));
    // `evener ctl` and `evener status` ask on the machine where Evener runs, hence in a pod.
    const choose = `case $1 in ctl | status) exec kubectl evener --namespace ingress "$@" ;; esac`;
    const here = join(ROOT, "dist/bin");
    const own = `#!/bin/sh\n${choose}\nexec '${join(here, "evener")}' "$@"\n`;
    await writeFile(join(bin, "evener"), own, { mode: 0o755 });
    await writeFile(join(dir, "ca.pem"), ca);
    return new Reader(dir, {
      PATH: `${bin}:${here}:${process.env.PATH}`,
      HOME: join(dir, "home"),
      KUBECONFIG: kubeconfig,
      CURL_CA_BUNDLE: join(dir, "ca.pem"),
      EVENER_RUN_DIR: join(dir, "run"),
    });
  }

  /** Fences that have not been typed. */
  get left(): readonly string[] {
    return Object.keys(DOCUMENTED).filter((name) => !this.#typed.has(name as DocumentedName));
  }

  /** A fence of a document, which has to succeed, command by command; its output. */
  async type(name: DocumentedName, substitutes: Substitutes = {}): Promise<string> {
    return await this.run(this.#read(name, substitutes), name);
  }

  /** The same for a fence whose last command goes on until somebody presses Ctrl-C: which is when `check` is over. */
  async typeUntil(
    name: DocumentedName,
    check: (output: () => string) => Promise<void>,
    substitutes: Substitutes = {},
  ): Promise<string> {
    const file = join(this.#dir, "typed.sh");
    await writeFile(file, this.#read(name, substitutes));
    // A terminal, since that is what makes a signal of Ctrl-C, here as in a pod.
    const terminal = ["--quiet", "--return", "--flush", "--command", `bash -eu '${file}'`, "/dev/null"];
    const { child, output } = this.#start("script", terminal);
    try {
      await Promise.race([check(() => output.join("")), once(child, "exit")]);
      if (child.exitCode !== null) throw new Error("it has ended by itself");
    } catch (cause) {
      kill(child);
      throw new Error(`${name}: ${cause}\n${output.join("")}`, { cause });
    }
    const exited = once(child, "exit");
    child.stdin?.write("\x03");
    const timer = setTimeout(() => kill(child), STOP_MS);
    const [status] = (await exited) as [number | null];
    clearTimeout(timer);
    if (status !== 0 && status !== INTERRUPTED)
      throw new Error(`${name}, after Ctrl-C: ${status}\n${output.join("")}`);
    return output.join("");
  }

  /** Commands that are in no document. */
  async run(text: string, name = text): Promise<string> {
    const end = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT";
    const { child, output, answers } = this.#start("bash", ["-c", `set -eu -o pipefail\n${end}\n${text}`]);
    child.stdin?.end();
    const timer = setTimeout(() => kill(child), LIMIT_MS);
    const [status] = (await once(child, "close")) as [number | null];
    clearTimeout(timer);
    if (status !== 0) throw new Error(`${name}: ${status}\n${text}\n${output.join("")}`);
    return answers.join("");
  }

  async leave(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  #read(name: DocumentedName, substitutes: Substitutes): string {
    let { text } = findDocumented(this.#fences, name).fence;
    for (const [from, to] of Object.entries(substitutes)) {
      if (!text.includes(from)) throw new Error(`${name} does not say ${from}`);
      text = text.replaceAll(from, to);
    }
    this.#typed.add(name);
    return text;
  }

  /** In a process group of its own, so that all of it can be ended. */
  #start(file: string, args: readonly string[]): Started {
    const child = spawn(file, args, { cwd: join(this.#dir, "work"), env: this.#env, detached: true });
    const output: string[] = [];
    const answers: string[] = [];
    child.stdout?.on("data", (chunk) => answers.push(String(chunk)) && output.push(String(chunk)));
    child.stderr?.on("data", (chunk) => output.push(String(chunk)));
    return { child, output, answers };
  }
}

function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
}
