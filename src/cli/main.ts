#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from "commander";
import { addCtl } from "./ctl.ts";
import { runDiff, type Side } from "./diff.ts";
import { LINT_OUTPUTS, runLint } from "./lint.ts";
import { render } from "./render.ts";
import { addModelOptions, addRunOptions, SettingsError, toModelSettings, toRunSettings } from "./settings.ts";
import { addStatus } from "./status.ts";
import { VERSION } from "./version.ts";

const EXIT_USAGE = 64;

interface RawLintOptions {
  readonly filename?: readonly string[];
  readonly kube: boolean;
  readonly kubeconfig?: string;
  readonly output: (typeof LINT_OUTPUTS)[number];
  readonly strict: boolean;
}

function filenames(): Option {
  return new Option("-f, --filename <file|dir|->", "manifests (repeatable)").argParser(
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
  );
}

function readLintInputs({ filename = [], kube, kubeconfig }: RawLintOptions) {
  if (kube === filename.length > 0) throw new SettingsError("lint needs either -f or --kube");
  if (!kube && kubeconfig !== undefined) throw new SettingsError("--kubeconfig is for --kube");
  return {
    inputs: filename,
    cluster: kube ? { ...(kubeconfig === undefined ? {} : { kubeconfig }) } : undefined,
  };
}

interface RawDiffOptions {
  readonly against?: string;
  readonly againstRunDir?: string;
}

function readSides(paths: readonly string[], { against, againstRunDir }: RawDiffOptions) {
  const running: Side[] = [
    ...(against === undefined ? [] : [{ kind: "url", url: against } as const]),
    ...(againstRunDir === undefined ? [] : [{ kind: "run-dir", dir: againstRunDir } as const]),
  ];
  const given = paths.map((path): Side => ({ kind: "manifests", path }));
  const [old, young, ...rest] = [...running, ...given];
  if (old === undefined || young === undefined || rest.length > 0) {
    throw new SettingsError("diff needs OLD and NEW, or NEW and one of --against and --against-run-dir");
  }
  return { old, new: young };
}

/** Runs one command line and returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = new Command("evener")
    .description("Kubernetes ingress controller: Hitch terminates TLS, Balance spreads the connections")
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError("(evener --help lists the commands)");

  addRunOptions(program.command("run").description("watch Ingresses and serve them")).action(
    async (_options, command: Command) => {
      const settings = toRunSettings(command);
      // Loaded here, so that `render` does not pay for the cluster client.
      const { run } = await import("./run.ts");
      status = await run(settings);
    },
  );

  addModelOptions(program.command("render").description("print the configuration for manifests"), 2)
    .addOption(filenames().makeOptionMandatory())
    .option("--out <dir>", "write hitch.conf, balance.conf and status.yaml there")
    .option("--strict", "exit with status 2 when an object was left out", false)
    .action(async (options, command: Command) => {
      const { filename, out, strict } = options as { filename: string[]; out?: string; strict: boolean };
      const model = toModelSettings(command.opts());
      status = await render({ inputs: filename, strict, model, ...(out === undefined ? {} : { out }) });
    });

  addModelOptions(
    program.command("lint").description("say what Evener does with each Ingress, and what it ignores"),
    2,
  )
    .addOption(filenames())
    .option("--kube", "look at a live cluster instead of manifests; nothing is written", false)
    .option("--kubeconfig <file>", "how to reach it (default: in-cluster, then ~/.kube/config)")
    .addOption(new Option("-o, --output <format>", "how to print").choices(LINT_OUTPUTS).default("text"))
    .option("--strict", "exit with status 1 when there are warnings", false)
    .action(async (options, command: Command) => {
      const raw = options as RawLintOptions;
      const model = toModelSettings(command.opts());
      status = await runLint({ ...readLintInputs(raw), output: raw.output, strict: raw.strict, model });
    });

  addModelOptions(
    program
      .command("diff")
      .argument("<manifests...>", "OLD and NEW, or NEW alone: files, directories or -")
      .description(
        "say what would change in hitch.conf and balance.conf; exit 0 same, 1 different, 2 trouble",
      ),
    2,
  )
    .option("--against <url>", "old is what runs: http://127.0.0.1:10254/debug/config")
    .option("--against-run-dir <dir>", "old is what runs: its run directory")
    .action(async (paths: string[], options: RawDiffOptions, command: Command) => {
      const model = toModelSettings(command.opts());
      status = await runDiff({ ...readSides(paths, options), model });
    });

  const exit = (result: number) => {
    status = result;
  };
  addStatus(program, exit);
  addCtl(program, exit);

  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (error instanceof SettingsError) {
      process.stderr.write(`evener: ${error.message}\n`);
      return EXIT_USAGE;
    }
    throw error;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
