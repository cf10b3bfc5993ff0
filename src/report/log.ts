// SPDX-License-Identifier: Apache-2.0
/** Structured logs. Objects appear as references, never as content, so no key can get in. */
import { Writable } from "node:stream";
import pino from "pino";
import type { ObjectRef } from "../model/types.ts";

export type Logger = pino.Logger;

export interface LogOptions {
  readonly level: string;
  readonly format: "json" | "text";
  readonly destination?: { write(line: string): unknown };
}

export function createLogger(options: LogOptions): Logger {
  const out = options.destination ?? pino.destination({ fd: 2, sync: true });
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: { program: "evener" },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // Nothing logs these; should somebody come to, the log does not show it.
    redact: { paths: ["pem", "*.pem", "data", "*.data", "stringData", "*.stringData"], censor: "[redacted]" },
  };
  if (options.format === "json") return pino(settings, out);
  return pino(settings, textStream(out));
}

/** `Ingress default/web`, as people write it. */
export function formatRef(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace === undefined ? "" : `${ref.namespace}/`}${ref.name}`;
}

function textStream(out: { write(line: string): unknown }): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      out.write(formatLine(chunk));
      done();
    },
  });
}

/** One JSON record as `TIME LEVEL message key=value …`. */
export function formatLine(json: string): string {
  const { time, level, msg, program: _program, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${formatValue(value)}`);
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${escapeControls(String(msg))}${fields.join("")}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[\w./:@*-]+$/.test(value)) return value;
  return JSON.stringify(value);
}

/** One record is one line, whatever a message quotes. */
function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => {
    if (char === "\n") return "\\n";
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
