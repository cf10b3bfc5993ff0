// SPDX-License-Identifier: Apache-2.0
/** The flags of `evener run`, from where the program itself has them. */
import { Command, type Option } from "commander";
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
        { description: option.description, repeatable: isRepeatable(option) },
      ])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Values are added to an empty list; a list that starts with something (`--alpn`) is replaced as a whole. */
function isRepeatable({ defaultValue }: Option): boolean {
  return Array.isArray(defaultValue) && defaultValue.length === 0;
}

/** Lets the program's own parser have a look; throws what it would say. */
export function parseRunArgs(args: readonly string[]): Record<string, unknown> {
  const command = addRunOptions(new Command("run"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse([...args], { from: "user" });
  return command.opts();
}
