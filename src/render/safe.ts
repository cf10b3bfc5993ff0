// SPDX-License-Identifier: Apache-2.0
/**
 * The second line of defence: every value passes one of these right before it is rendered. The model has refused
 * what users got wrong long before; whatever is stopped here is a fault of ours, so it throws.
 */
import { canonicalIp } from "../model/ip.ts";
import { isDnsLabel, isHost, isPortName, isPortNumber } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import { ANY_HOST } from "../model/routes.ts";
import type { Channel, Listener } from "../model/types.ts";

export class UnsafeValueError extends Error {
  readonly code = "EVENER_UNSAFE_VALUE";

  constructor(what: string, value: unknown) {
    super(`refusing to render ${what} ${quote(value)}`);
    this.name = "UnsafeValueError";
  }
}

function check<T>(ok: boolean, what: string, value: T): T {
  if (!ok) throw new UnsafeValueError(what, value);
  return value;
}

export function safeInteger(value: number, min: number, max: number): string {
  return String(check(Number.isInteger(value) && value >= min && value <= max, "number", value));
}

export function safeSeconds(value: number): string {
  return String(
    check(Number.isFinite(value) && value >= 0 && value <= 1e6, "time", Math.round(value * 1000) / 1000),
  );
}

export function safePort(value: number): string {
  return String(check(isPortNumber(value), "port", value));
}

export function safePath(value: string): string {
  return check(/^\/[A-Za-z0-9._/-]{1,200}$/.test(value), "path", value);
}

export function safeCertificateId(value: string): string {
  return check(/^(?:[0-9a-f]{64}|default)$/.test(value), "certificate id", value);
}

export function safeHost(value: string): string {
  return check(value === ANY_HOST || isHost(value), "host", value);
}

export function safeListenerName(value: string): string {
  return check(/^[a-z][a-z0-9-]{0,31}$/.test(value), "listener name", value);
}

export function safeListenerAddress(value: string): string {
  const ok = /^(?:tcp:(?:\[[0-9a-f:.]{2,45}\]|[0-9.]{7,15}):[0-9]{1,5}|unix:\/[A-Za-z0-9._/-]{1,107})$/;
  return check(ok.test(value), "listener address", value);
}

export function safeProxy(value: Listener["proxy"]): string {
  return check(["none", "v1", "v2", "any"].includes(value), "proxy mode", value);
}

/** `namespace/service:port`, the port by number or, where it could not be found, by name. */
export function safePoolName(value: string): string {
  const match = /^([^/:]+)\/([^/:]+):([^/:]+)$/.exec(value);
  const [, namespace = "", service = "", port = ""] = match ?? [];
  const portOk = isPortName(port) || (/^\d{1,5}$/.test(port) && isPortNumber(Number(port)));
  return check(isDnsLabel(namespace) && isDnsLabel(service) && portOk, "pool name", value);
}

export function safeChannel({ address, port, max }: Channel): string {
  check(canonicalIp(address) === address, "address", address);
  const host = address.includes(":") ? `[${address}]` : address;
  const limit = max === 0 ? "" : `:${safeInteger(max, 1, 1e9)}`;
  return `${host}:${safePort(port)}${limit}`;
}
