// SPDX-License-Identifier: Apache-2.0
/** docs/reference/flags.md: every command with its flags, from the definitions that the program itself parses with. */
import type { Argument, Command, Option } from "commander";
import { createProgram } from "./main.ts";

const HEAD = `<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from src/cli by make generate. -->
# Commands and flags

A flag wins over its environment variable, that over the default. A value in the environment of a flag that can be given several times is a list with commas. A
time is written \`30s\`, \`500ms\` or \`2m\`; a number alone means seconds. A switch (\`[bool]\`) without a value is on. A flag or value that is wrong ends the program with status 64 and a
sentence that names it.

In the chart a flag is a key of \`config\`, without the dashes in front ([chart.md](../chart.md)).
`;

const HELP = "help";

/** Commands in the order of the program's own help, those below others included. */
export function* listCommands(
  parent: Command = createProgram(() => {}),
  before: readonly string[] = ["evener"],
): Generator<{ readonly name: string; readonly command: Command }> {
  for (const command of parent.commands) {
    if (command.name() === HELP) continue;
    const words = [...before, command.name()];
    yield { name: words.join(" "), command };
    yield* listCommands(command, words);
  }
}

export function renderFlags(): string {
  const commands = [...listCommands()];
  const run = commands.find(({ name }) => name === "evener run");
  const common = new Map((run?.command.options ?? []).map((option) => [option.flags, option]));
  return [
    HEAD,
    ...commands.map(({ name, command }) =>
      renderCommand(name, command, command === run?.command ? new Map() : common),
    ),
  ].join("\n");
}

/** Flags that mean what they mean for `evener run` are named, not repeated. */
function renderCommand(name: string, command: Command, common: ReadonlyMap<string, Option>): string {
  const visible = command.options.filter(({ hidden }) => !hidden);
  const isShared = (option: Option) => isSame(option, common.get(option.flags));
  const shared = visible.filter(isShared);
  const own = visible.filter((option) => !isShared(option));
  const usage = [...command.registeredArguments.map(describeArgument)];
  return [
    `## ${name}\n`,
    `${sentence(command.description())}\n`,
    ...(usage.length === 0 ? [] : [`Arguments: ${usage.join(", ")}.\n`]),
    ...(own.length === 0
      ? []
      : ["| flag | environment | default | meaning |", "|---|---|---|---|", ...own.map(renderRow), ""]),
    ...(shared.length === 0
      ? []
      : [`As for \`evener run\`: ${shared.map(({ long }) => `\`${long}\``).join(", ")}.\n`]),
  ].join("\n");
}

function isSame(option: Option, other: Option | undefined): boolean {
  return (
    other !== undefined &&
    other.description === option.description &&
    other.envVar === option.envVar &&
    describeDefault(other) === describeDefault(option)
  );
}

function renderRow(option: Option): string {
  const { flags, envVar, description, argChoices, mandatory } = option;
  const choices = argChoices === undefined ? "" : ` (${argChoices.join(", ")})`;
  const cells = [
    code(flags),
    envVar === undefined ? "" : code(envVar),
    mandatory ? "has to be given" : describeDefault(option),
    `${escapeCell(description)}${escapeCell(choices)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function describeDefault({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValueDescription !== undefined) return escapeCell(defaultValueDescription);
  if (defaultValue === undefined) return "";
  if (Array.isArray(defaultValue)) return defaultValue.map((value) => code(String(value))).join(", ");
  return code(String(defaultValue));
}

function describeArgument(argument: Argument): string {
  const { required, variadic, description, argChoices } = argument;
  const word = `${argument.name()}${variadic ? "…" : ""}`;
  const about = argChoices === undefined ? description : argChoices.join(", ");
  return `${code(required ? `<${word}>` : `[${word}]`)}${about === "" ? "" : ` (${escapeCell(about)})`}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<").replaceAll("*", "\\*");
}
