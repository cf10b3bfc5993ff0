// SPDX-License-Identifier: Apache-2.0
/** Flags of TCP ports, and of the program that serves them. */
import { resolve } from "node:path";
import { InvalidArgumentError, type Option } from "commander";
import { isDnsLabel, isPortName, isPortNumber } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import type { TcpService } from "../model/tls-settings.ts";
import type { ModelSettings } from "../model/types.ts";
import { flag, listFlag, SettingsError } from "./flags.ts";

export const BALANCE_ENGINES = ["evener", "upstream"] as const;

export interface RawEngineOptions {
  readonly tcpService: readonly string[];
  readonly balanceEngine: (typeof BALANCE_ENGINES)[number];
  readonly balancePath?: string;
}

export function engineFlags(): readonly Option[] {
  return [
    listFlag(
      "--tcp-service <port=ns/service:port>",
      "a port whose connections go to one Service port as they are (repeatable)",
      (text) => {
        parseTcpService(text);
        return text;
      },
    ),
    flag(
      "--balance-engine <engine>",
      "what serves --tcp-service ports: our Balance, or a process each of Inlab's",
    )
      .choices(BALANCE_ENGINES)
      .default("evener"),
    flag("--balance-path <file>", "the program, with --balance-engine upstream", parseProgram),
  ];
}

export function toEngineSettings(
  raw: RawEngineOptions,
  takenPorts: readonly number[],
): Pick<ModelSettings, "tcpServices" | "upstreamBalance"> {
  const tcpServices = raw.tcpService.map(parseTcpService);
  const taken = new Set(takenPorts);
  for (const { port } of tcpServices) {
    if (taken.has(port))
      throw new SettingsError(`--tcp-service ${port}: the port is taken by another listener`);
    taken.add(port);
  }
  const upstream = raw.balanceEngine === "upstream";
  if (upstream && raw.balancePath === undefined)
    throw new SettingsError("--balance-engine upstream needs --balance-path");
  if (!upstream && raw.balancePath !== undefined)
    throw new SettingsError("--balance-path is for --balance-engine upstream");
  return {
    ...(tcpServices.length === 0 ? {} : { tcpServices: Object.freeze(tcpServices) }),
    ...(raw.balancePath === undefined ? {} : { upstreamBalance: raw.balancePath }),
  };
}

function parseTcpService(text: string): TcpService {
  const match = /^(\d{1,5})=([^/:=]+)\/([^/:=]+):([^/:=]+)$/.exec(text);
  const [, portText = "", namespace = "", service = "", wanted = ""] = match ?? [];
  const port = Number(portText);
  const servicePort = /^\d{1,5}$/.test(wanted) ? Number(wanted) : wanted;
  const portOk = typeof servicePort === "number" ? isPortNumber(servicePort) : isPortName(servicePort);
  if (!isPortNumber(port) || !isDnsLabel(namespace) || !isDnsLabel(service) || !portOk)
    throw new InvalidArgumentError(`${quote(text)} is no PORT=NAMESPACE/SERVICE:PORT.`);
  return Object.freeze({ port, namespace, service, servicePort, tls: "none" });
}

/** It stands in a file of words, which has no quoting. */
function parseProgram(text: string): string {
  const path = resolve(text);
  if (text !== "" && /^\/[A-Za-z0-9._/+-]{1,250}$/.test(path)) return path;
  throw new InvalidArgumentError(`${quote(text)}: only letters, digits and "._+-/" are allowed.`);
}
