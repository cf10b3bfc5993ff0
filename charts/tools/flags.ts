// SPDX-License-Identifier: Apache-2.0
/** The flags of `evener run`, from where the program itself has them. */
import { Command } from "commander";
import { addRunOptions } from "../../src/cli/settings.ts";

export interface FlagFacts {
  readonly description: string;
  readonly repeatable: boolean;
}

export function listFlags(): Record<string, FlagFacts> {
  const { options } = addRunOptions(new Command("run"));
  return Object.fromEntries(
    options
      .map((option): [string, FlagFacts] => [
        option.name(),
        { description: option.description, repeatable: Array.isArray(option.defaultValue) },
      ])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Lets the program's own parser have a look; throws what it would say. */
export function parseRunArgs(args: readonly string[]): Record<string, unknown> {
  const command = addRunOptions(new Command("run"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse([...args], { from: "user" });
  return command.opts();
}
