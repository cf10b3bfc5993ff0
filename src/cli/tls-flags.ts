// SPDX-License-Identifier: Apache-2.0
/** Flags for TLS and for whole ports. What a TLSProfile says wins over them; listeners of both add up. */
import { InvalidArgumentError, type Option } from "commander";
import { DEFAULT_INTERNAL_TLS_PORT } from "../model/listeners.ts";
import { isPortNumber } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import {
  checkTlsSettings,
  TLS_CIPHERS,
  TLS_CIPHERSUITES,
  TLS_CURVES,
  TLS_PROTOCOLS,
  type TlsSettings,
} from "../model/tls-settings.ts";
import type { ModelSettings } from "../model/types.ts";
import { flag, listFlag, parseBoolean, parsePort, SettingsError } from "./flags.ts";

export interface RawTlsOptions {
  readonly tlsProtocols: readonly string[];
  readonly tlsCiphers: readonly string[];
  readonly tlsCiphersuites: readonly string[];
  readonly tlsCurves: readonly string[];
  readonly preferServerCiphers: boolean;
  readonly strictSni: boolean;
  readonly ocspStapling: boolean;
  readonly extraTlsPort: readonly string[];
  readonly tcpService: readonly string[];
  readonly tcpPorts: readonly string[];
  readonly enableSslPassthrough: boolean;
  readonly internalTlsPort: number;
}

export function tlsFlags(): readonly Option[] {
  const words = (flags: string, what: string, known: readonly string[]) =>
    listFlag(flags, `${what} (repeatable): ${known.join(", ")}`, (text) => {
      if (known.includes(text)) return text;
      throw new InvalidArgumentError(`${quote(text)} is none of ${known.join(", ")}.`);
    });
  const onOff = (flags: string, description: string) =>
    flag(flags, description, parseBoolean).default(false).preset(true);
  return [
    words("--tls-protocols <version>", "TLS versions", TLS_PROTOCOLS),
    words("--tls-ciphers <cipher>", "TLS 1.2 ciphers", TLS_CIPHERS),
    words("--tls-ciphersuites <suite>", "TLS 1.3 cipher suites", TLS_CIPHERSUITES),
    words("--tls-curves <group>", "key exchange groups", TLS_CURVES),
    onOff("--prefer-server-ciphers [bool]", "of the ciphers of both sides ours come first"),
    onOff(
      "--ocsp-stapling [bool]",
      "staple OCSP responses: Hitch asks the servers that certificates name, whoever brought them",
    ),
    onOff("--strict-sni [bool]", "refuse handshakes for names that no certificate has"),
    listFlag(
      "--extra-tls-port <port>",
      "another port that does what the TLS port does (repeatable)",
      (text) => String(parsePort(text)),
    ),
    listFlag(
      "--tcp-service <PORT=NS/SERVICE:PORT[/tls[=HOST]]>",
      "relay a port to a Service port, after TLS or as it is (repeatable)",
      (text) => text,
    ),
    listFlag(
      "--tcp-ports <range>",
      "ports that Ingresses may ask for with tcp-service-port, such as 5432 or 9000-9010 (repeatable)",
      (text) => {
        parsePortRange(text);
        return text;
      },
    ),
    onOff("--enable-ssl-passthrough [bool]", "let Ingresses ask for ssl-passthrough"),
    flag(
      "--internal-tls-port <port>",
      "loopback port of Hitch while Balance has the TLS ports",
      parsePort,
    ).default(DEFAULT_INTERNAL_TLS_PORT),
  ];
}

type TlsPart = Pick<ModelSettings, "tls" | "sslPassthrough" | "internalTlsPort" | "tcpPorts">;

/** `taken` are the ports of the other listeners. */
export function toTlsSettings(raw: RawTlsOptions, taken: readonly number[]): TlsPart {
  const unless = (key: keyof TlsSettings, values: readonly unknown[]) =>
    values.length === 0 ? {} : { [key]: values };
  if (taken.includes(raw.internalTlsPort)) {
    throw new SettingsError(`--internal-tls-port ${raw.internalTlsPort} is taken by another listener`);
  }
  const { settings, faults } = checkTlsSettings(
    {
      ...unless("protocols", raw.tlsProtocols),
      ...unless("ciphers", raw.tlsCiphers),
      ...unless("ciphersuites", raw.tlsCiphersuites),
      ...unless("curves", raw.tlsCurves),
      preferServerCiphers: raw.preferServerCiphers,
      strictSni: raw.strictSni,
      ocspStapling: raw.ocspStapling,
      extraTlsPorts: raw.extraTlsPort.map(Number),
      tcpServices: raw.tcpService.map(parseTcpService),
    },
    [...taken, raw.internalTlsPort],
  );
  const [first] = faults;
  if (first !== undefined)
    throw new SettingsError(`${FLAGS[first.field.split("[")[0] ?? ""]}: ${first.message}`);
  return {
    tls: settings,
    sslPassthrough: raw.enableSslPassthrough,
    internalTlsPort: raw.internalTlsPort,
    tcpPorts: Object.freeze(raw.tcpPorts.map(parsePortRange)),
  };
}

const FLAGS: Readonly<Record<string, string>> = {
  protocols: "--tls-protocols",
  ciphers: "--tls-ciphers",
  ciphersuites: "--tls-ciphersuites",
  curves: "--tls-curves",
  extraTlsPorts: "--extra-tls-port",
  tcpServices: "--tcp-service",
};

/** `5432=db/postgres:5432/tls=db.example`; what is in it is checked with the rest. */
function parseTcpService(text: string): Record<string, unknown> {
  const match = /^(\d{1,5})=([^/:=]+)\/([^/:=]+):([^/:=]+)(?:\/(tls)(?:=([^/:=]+))?)?$/.exec(text);
  if (match === null) {
    throw new SettingsError(`--tcp-service: ${quote(text)} is not PORT=NAMESPACE/SERVICE:PORT[/tls[=HOST]]`);
  }
  const [, port, namespace, service, target = "", tls, host] = match;
  return {
    port: Number(port),
    namespace,
    service,
    servicePort: /^\d+$/.test(target) ? Number(target) : target,
    tls: tls === undefined ? "none" : "terminate",
    ...(host === undefined ? {} : { host }),
  };
}

function parsePortRange(text: string): readonly [number, number] {
  const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = [Number(first), Number(last)] as const;
  if (range.every(isPortNumber) && range[0] <= range[1]) return range;
  throw new InvalidArgumentError(`${quote(text)} is no port or range of ports such as 9000-9010.`);
}
