// SPDX-License-Identifier: Apache-2.0
/** Flags of the program that serves TCP ports. */
import { resolve } from "node:path";
import { InvalidArgumentError, type Option } from "commander";
import { quote } from "../model/quote.ts";
import type { ModelSettings } from "../model/types.ts";
import { flag, SettingsError } from "./flags.ts";

export const BALANCE_ENGINES = ["evener", "upstream"] as const;

export interface RawEngineOptions {
  readonly balanceEngine: (typeof BALANCE_ENGINES)[number];
  readonly balancePath?: string;
}

export function engineFlags(): readonly Option[] {
  return [
    flag(
      "--balance-engine <engine>",
      "what serves TCP ports that are relayed as they are: our Balance, or a process each of Inlab's",
    )
      .choices(BALANCE_ENGINES)
      .default("evener"),
    flag("--balance-path <file>", "the program, with --balance-engine upstream", parseProgram),
  ];
}

export function toEngineSettings(raw: RawEngineOptions): Pick<ModelSettings, "upstreamBalance"> {
  const upstream = raw.balanceEngine === "upstream";
  if (upstream && raw.balancePath === undefined)
    throw new SettingsError("--balance-engine upstream needs --balance-path");
  if (!upstream && raw.balancePath !== undefined)
    throw new SettingsError("--balance-path is for --balance-engine upstream");
  return {
    ...(raw.balancePath === undefined ? {} : { upstreamBalance: raw.balancePath }),
  };
}

/** It stands in a file of words, which has no quoting. */
function parseProgram(text: string): string {
  const path = resolve(text);
  if (text !== "" && /^\/[A-Za-z0-9._/+-]{1,250}$/.test(path)) return path;
  throw new InvalidArgumentError(`${quote(text)}: only letters, digits and "._+-/" are allowed.`);
}
