#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from "commander";
import { addCtl } from "./ctl.ts";
import { render } from "./render.ts";
import { addModelOptions, addRunOptions, SettingsError, toModelSettings, toRunSettings } from "./settings.ts";
import { VERSION } from "./version.ts";

const EXIT_USAGE = 64;

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
    .addOption(
      new Option("-f, --filename <file|dir|->", "manifests (repeatable)")
        .argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text])
        .makeOptionMandatory(),
    )
    .option("--out <dir>", "write hitch.conf, balance.conf and status.yaml there")
    .option("--strict", "exit with status 2 when an object was left out", false)
    .action(async (options, command: Command) => {
      const { filename, out, strict } = options as { filename: string[]; out?: string; strict: boolean };
      const model = toModelSettings(command.opts());
      status = await render({ inputs: filename, strict, model, ...(out === undefined ? {} : { out }) });
    });

  addCtl(program, (result) => {
    status = result;
  });

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
