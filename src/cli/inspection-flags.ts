// SPDX-License-Identifier: Apache-2.0
/** Flags of the inspection page. */
import { InvalidArgumentError, type Option } from "commander";
import type { PageSettings } from "../inspect/server.ts";
import { canonicalIp } from "../model/ip.ts";
import { isHost } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import { flag, listFlag, parseBoolean, parsePort } from "./flags.ts";

export interface RawInspectionOptions {
  readonly inspection: boolean;
  readonly inspectionAddress: string;
  readonly inspectionPort: number;
  readonly inspectionHost: readonly string[];
}

export function inspectionFlags(): readonly Option[] {
  return [
    flag("--inspection [bool]", "a read-only page that shows what is served", parseBoolean)
      .default(false)
      .preset(true),
    flag("--inspection-address <ip>", "address of that page; nobody is asked who they are", parseIp).default(
      "127.0.0.1",
    ),
    flag("--inspection-port <port>", "port of that page", parsePort).default(10354),
    listFlag(
      "--inspection-host <name>",
      "name that browsers may call it by, beside addresses and localhost (repeatable)",
      parseHost,
    ),
  ];
}

/** Undefined: no page. */
export function toPageSettings(raw: RawInspectionOptions): PageSettings | undefined {
  if (!raw.inspection) return undefined;
  return Object.freeze({
    address: raw.inspectionAddress,
    port: raw.inspectionPort,
    hosts: Object.freeze([...raw.inspectionHost]),
  });
}

function parseIp(text: string): string {
  const ip = canonicalIp(text);
  if (ip !== undefined) return ip;
  throw new InvalidArgumentError(`${quote(text)} is no IP address.`);
}

function parseHost(text: string): string {
  const name = text.toLowerCase();
  if (isHost(name) && !name.startsWith("*")) return name;
  throw new InvalidArgumentError(`${quote(text)} is no host name.`);
}
