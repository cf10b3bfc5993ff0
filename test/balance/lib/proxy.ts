// SPDX-License-Identifier: Apache-2.0
// PROXY protocol headers as senders write them.

export function proxyV1(client = "192.0.2.7", port = 4711): Buffer {
  return Buffer.from(`PROXY TCP4 ${client} 192.0.2.1 ${port} 443\r\n`);
}

function tlv(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt8(type);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/** PROXY v2, TCP over IPv4, with the host name a TLS client asked for. */
export function proxyV2(sni?: string, client = "192.0.2.7", port = 4711): Buffer {
  const address = Buffer.alloc(12);
  for (const [i, byte] of client.split(".").entries()) address.writeUInt8(Number(byte), i);
  address.set([192, 0, 2, 1], 4);
  address.writeUInt16BE(port, 8);
  address.writeUInt16BE(443, 10);
  const body = Buffer.concat([address, ...(sni === undefined ? [] : [tlv(2, Buffer.from(sni))])]);
  const head = Buffer.from("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0", "latin1");
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}
