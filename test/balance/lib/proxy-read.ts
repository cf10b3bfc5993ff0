// SPDX-License-Identifier: Apache-2.0
// Reads PROXY protocol headers as a pod does, from the specification and apart from the parser under test.
import assert from "node:assert/strict";

export interface ProxyHeader {
  version: 1 | 2;
  /** v1: TCP4, TCP6, UNKNOWN; v2: the same, or LOCAL. */
  kind: string;
  source?: string;
  destination?: string;
  tlvs: Map<number, Buffer>;
  /** How many bytes it takes. */
  size: number;
}

const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** §2.2.1: type, length, value, one behind the other. */
export function readTlvs(bytes: Buffer): Map<number, Buffer> {
  const tlvs = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    assert.ok(end <= bytes.length, "a TLV that ends behind the header");
    assert.ok(!tlvs.has(bytes.readUInt8(at)), "a TLV twice");
    tlvs.set(bytes.readUInt8(at), bytes.subarray(at + 3, end));
    at = end;
  }
  return tlvs;
}

/** §2.2.6: client flags, verification result, then sub-TLVs. */
export function readSsl(value: Buffer): { client: number; verify: number; facts: Map<number, string> } {
  const facts = new Map([...readTlvs(value.subarray(5))].map(([type, v]) => [type, v.toString("latin1")]));
  return { client: value.readUInt8(0), verify: value.readUInt32BE(1), facts };
}

function v6(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return `[${words.join(":")}]`;
}

function v2(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < 16 || bytes.length < 16 + bytes.readUInt16BE(14)) return undefined;
  const size = 16 + bytes.readUInt16BE(14);
  const body = bytes.subarray(16, size);
  const [command, family] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  if (command === 0x20) return { version: 2, kind: "LOCAL", tlvs: readTlvs(body), size };
  assert.equal(command, 0x21);
  if (family === 0x11) {
    const host = (at: number) => [...body.subarray(at, at + 4)].join(".");
    return {
      version: 2,
      kind: "TCP4",
      source: `${host(0)}:${body.readUInt16BE(8)}`,
      destination: `${host(4)}:${body.readUInt16BE(10)}`,
      tlvs: readTlvs(body.subarray(12)),
      size,
    };
  }
  assert.equal(family, 0x21);
  return {
    version: 2,
    kind: "TCP6",
    source: `${v6(body.subarray(0, 16))}:${body.readUInt16BE(32)}`,
    destination: `${v6(body.subarray(16, 32))}:${body.readUInt16BE(34)}`,
    tlvs: readTlvs(body.subarray(36)),
    size,
  };
}

function v1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.indexOf("\r\n", 0, "latin1");
  if (end < 0) return undefined;
  const [word, kind, from, to, fromPort, toPort, ...more] = bytes
    .subarray(0, end)
    .toString("latin1")
    .split(" ");
  assert.deepEqual([word, more], ["PROXY", []]);
  const size = end + 2;
  if (kind === "UNKNOWN") return { version: 1, kind, tlvs: new Map(), size };
  assert.match(kind ?? "", /^TCP[46]$/);
  const host = (text: string | undefined) => (kind === "TCP6" ? `[${text}]` : text);
  return {
    version: 1,
    kind: kind as string,
    source: `${host(from)}:${fromPort}`,
    destination: `${host(to)}:${toPort}`,
    tlvs: new Map(),
    size,
  };
}

/** The header at the start of the bytes; undefined while it is not whole. Throws when it is none. */
export function readProxy(bytes: Buffer): ProxyHeader | undefined {
  const n = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.subarray(0, n).equals(SIGNATURE.subarray(0, n)))
    return n < SIGNATURE.length ? undefined : v2(bytes);
  assert.equal(bytes.subarray(0, 6).toString("latin1"), "PROXY ".slice(0, bytes.length), "no PROXY header");
  return v1(bytes);
}
