// SPDX-License-Identifier: Apache-2.0
/** What flags are made of: options that may come from the environment too, and parsers for their values. */
import { isAbsolute, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { canonicalRange } from "../model/cidr.ts";
import { canonicalIp } from "../model/ip.ts";
import { isDnsLabel, isDnsSubdomain, isHost, isPortNumber } from "../model/names.ts";
import { quote } from "../model/quote.ts";

/** A mistake of whoever called the program: exit status 64. */
export class SettingsError extends Error {
  readonly code = "EVENER_SETTINGS";
}

type Parse<T> = (text: string) => T;

export function flag<T>(flags: string, description: string, parse?: Parse<T>): Option {
  const option = new Option(flags, description);
  option.env(`EVENER_${option.name().replaceAll("-", "_").toUpperCase()}`);
  if (parse !== undefined) option.argParser((text: string) => parse(text));
  return option;
}

/** Repeatable on the command line; values in the environment are separated by commas. */
export function listFlag(flags: string, description: string, parse: Parse<string>): Option {
  return flag(flags, description)
    .default([])
    .argParser((text: string, before: readonly string[]) => [
      ...new Set([
        ...(before ?? []),
        ...text
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== "")
          .map(parse),
      ]),
    ]);
}

export function addAll(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option);
  return command;
}

export function parsePort(text: string): number {
  const port = parseInteger(text);
  if (!isPortNumber(port)) throw new InvalidArgumentError(`${quote(text)} is no port (1 to 65535).`);
  return port;
}

export function parseWorkers(text: string): number {
  const workers = parseInteger(text);
  if (workers === undefined || workers < 1 || workers > 64) {
    throw new InvalidArgumentError(`${quote(text)} is no number of workers (1 to 64).`);
  }
  return workers;
}

export function parseTimeout(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError(`${quote(text)} is not between 1ms and 24 hours.`);
}

export function parseRange(text: string): string {
  const range = canonicalRange(text);
  if (range === undefined)
    throw new InvalidArgumentError(`${quote(text)} is no address range such as 10.0.0.0/8.`);
  return range;
}

/** `30`, `30s`, `1.5s`, `500ms` or `2m`, as seconds. */
export function parseSeconds(text: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError(`${quote(text)} is no time; say 30s, 500ms or 2m.`);
  const factor = { ms: 0.001, s: 1, m: 60 }[match[2] ?? "s"] ?? 1;
  return Number(match[1]) * factor;
}

function parseInteger(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export function parseBoolean(text: string | boolean): boolean {
  const word = String(text).toLowerCase();
  if (["true", "1", "yes", "on"].includes(word)) return true;
  if (["false", "0", "no", "off", ""].includes(word)) return false;
  throw new InvalidArgumentError(`${quote(text)} is neither true nor false.`);
}

export function parseClassName(text: string): string {
  if (!isDnsSubdomain(text)) throw new InvalidArgumentError(`${quote(text)} is no Kubernetes object name.`);
  return text;
}

export function parseController(text: string): string {
  const [domain = "", ...path] = text.split("/");
  if (!isDnsSubdomain(domain) || path.length === 0 || !/^[A-Za-z0-9._/-]{1,200}$/.test(path.join("/"))) {
    throw new InvalidArgumentError(`${quote(text)} is no controller name such as example.org/name.`);
  }
  return text;
}

export function parseNamespace(text: string): string {
  if (!isDnsLabel(text)) throw new InvalidArgumentError(`${quote(text)} is no namespace.`);
  return text;
}

export function parseObjectName(text: string): string {
  const [namespace = "", name = "", ...rest] = text.split("/");
  if (!isDnsLabel(namespace) || !isDnsSubdomain(name) || rest.length > 0) {
    throw new InvalidArgumentError(`${quote(text)} is no NAMESPACE/NAME.`);
  }
  return text;
}

/** A label's value, as topology.kubernetes.io/zone has it; nothing where there is none. */
export function parseZone(text: string): string {
  if (/^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/.test(text)) return text;
  throw new InvalidArgumentError(`${quote(text)} is no zone: letters, digits and "._-", at most 63.`);
}

export function parseAddress(text: string): string {
  const ip = canonicalIp(text);
  if (ip !== undefined) return ip;
  if (isHost(text) && !text.startsWith("*")) return text;
  throw new InvalidArgumentError(`${quote(text)} is neither an address nor a host name.`);
}

/** The path stands in both configuration files, neither of which can quote. */
export function parseRunDir(text: string): string {
  const path = resolve(text);
  if (!/^\/[A-Za-z0-9._/-]+$/.test(path)) {
    throw new InvalidArgumentError(`${quote(text)}: only letters, digits and "._-/" are allowed.`);
  }
  // sun_path holds 107 bytes; the longest name below is drain-http.sock.
  if (path.length > 90) throw new InvalidArgumentError(`${quote(text)} is too long for a socket in it.`);
  return path;
}

export type SourceSetting = { readonly kind: "kube" } | { readonly kind: "dir"; readonly path: string };

export function parseSource(text: string): SourceSetting {
  if (text === "kube") return { kind: "kube" };
  if (text.startsWith("dir:") && text.length > 4) {
    const path = text.slice(4);
    return { kind: "dir", path: isAbsolute(path) ? path : resolve(path) };
  }
  throw new InvalidArgumentError(`${quote(text)} is neither "kube" nor "dir:PATH".`);
}
