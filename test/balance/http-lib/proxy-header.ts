// SPDX-License-Identifier: Apache-2.0
// PROXY protocol headers, as Hitch and load balancers write them.

const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

function tlv(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

export interface ProxyFacts {
  client?: string;
  /** TLV 0x02 */
  sni?: string;
  /** TLV 0x20: the client came over TLS. */
  tls?: boolean;
  /** It showed a certificate; and whether that was verified. */
  cert?: "verified" | "failed";
  /** TLV 0xe0: the certificate, PEM. */
  pem?: string;
}

/** Version 2, TCP over IPv4. */
export function proxyV2(facts: ProxyFacts = {}): Buffer {
  const addresses = Buffer.alloc(12);
  Buffer.from((facts.client ?? "192.0.2.7").split(".").map(Number)).copy(addresses, 0);
  Buffer.from([192, 0, 2, 1]).copy(addresses, 4);
  addresses.writeUInt16BE(40_000, 8);
  addresses.writeUInt16BE(443, 10);
  const parts: Buffer[] = [addresses];
  if (facts.sni !== undefined) parts.push(tlv(0x02, Buffer.from(facts.sni, "latin1")));
  if (facts.tls) {
    const ssl = Buffer.alloc(5);
    ssl.writeUInt8(facts.cert === undefined ? 0x01 : 0x03, 0);
    ssl.writeUInt32BE(facts.cert === "verified" ? 0 : 1, 1);
    parts.push(tlv(0x20, Buffer.concat([ssl, tlv(0x21, Buffer.from("TLSv1.3"))])));
  }
  if (facts.pem !== undefined) parts.push(tlv(0xe0, Buffer.from(facts.pem, "latin1")));
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head.writeUInt8(0x21, 0);
  head.writeUInt8(0x11, 1);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([SIGNATURE, head, body]);
}

export function proxyV1(client = "192.0.2.7"): string {
  return `PROXY TCP4 ${client} 192.0.2.1 40000 80\r\n`;
}
