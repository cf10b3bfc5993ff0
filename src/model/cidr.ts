// SPDX-License-Identifier: Apache-2.0
/** Address ranges, in the one spelling that Balance takes: no bits set behind the prefix. */
import { canonicalIp } from "./ip.ts";

/** Everybody, whatever the family. */
export const EVERYBODY: readonly string[] = Object.freeze(["0.0.0.0/0", "::/0"]);

/** `10.1.2.3/8` → `10.0.0.0/8`, a bare address stays one; undefined when it is neither. */
export function canonicalRange(text: string): string | undefined {
  const [, address = "", length] = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const ip = canonicalIp(address);
  if (ip === undefined) return undefined;
  const bytes = ip.includes(":") ? readIpv6(ip) : ip.split(".").map(Number);
  const width = bytes.length * 8;
  const bits = length === undefined ? width : Number(length);
  if (bits > width) return undefined;
  const masked = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff);
  // Clients are known by their IPv4 address, so a range written as ::ffff:a.b.c.d would match none of them.
  if (width === 128 && bits >= 96 && isMapped(bytes)) return format(masked.slice(12), bits - 96);
  return format(masked, bits);
}

function readIpv6(ip: string): readonly number[] {
  const [head = "", tail] = ip.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...new Array<number>(zeros).fill(0), ...last];
  return all.flatMap((group) => [group >> 8, group & 255]);
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
}

function format(bytes: readonly number[], bits: number): string {
  const isWhole = bits === bytes.length * 8;
  if (bytes.length === 4) return `${bytes.join(".")}${isWhole ? "" : `/${bits}`}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return `${canonicalIp(groups.join(":")) ?? ""}${isWhole ? "" : `/${bits}`}`;
}
