// SPDX-License-Identifier: Apache-2.0
// Just enough HTTP/1.1 for both ends of a test, written apart from any parser under test.

export interface Head {
  /** Request line or status line. */
  line: string;
  /** Of a response, else 0. */
  status: number;
  /** Names in lower case; several fields of one name are joined by commas. */
  fields: Map<string, string>;
}

export function headEnd(bytes: Buffer): number | undefined {
  const at = bytes.indexOf("\r\n\r\n", 0, "latin1");
  return at < 0 ? undefined : at + 4;
}

export function parseHead(bytes: Buffer): Head {
  const [line = "", ...rest] = bytes.toString("latin1").split("\r\n");
  const fields = new Map<string, string>();
  for (const field of rest) {
    const colon = field.indexOf(":");
    if (colon < 0) continue;
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { line, status: Number(/^HTTP\/1\.\d (\d{3})/.exec(line)?.[1] ?? 0), fields };
}

/** Size of a chunked body with its trailers, or undefined while it is not whole. */
export function chunkedLength(bytes: Buffer): number | undefined {
  let at = 0;
  for (;;) {
    const lf = bytes.indexOf("\r\n", at, "latin1");
    if (lf < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lf).toString("latin1"), 16);
    if (Number.isNaN(size)) throw new Error(`bad chunk ${bytes.subarray(at, lf).toString("latin1")}`);
    if (size === 0) {
      if (bytes.indexOf("\r\n", lf + 2, "latin1") === lf + 2) return lf + 4;
      const end = bytes.indexOf("\r\n\r\n", lf, "latin1");
      return end < 0 ? undefined : end + 4;
    }
    at = lf + 2 + size + 2;
    if (at > bytes.length) return undefined;
  }
}

/** The payload of a whole chunked body. */
export function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lf = bytes.indexOf("\r\n", at, "latin1");
    const size = Number.parseInt(bytes.subarray(at, lf).toString("latin1"), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(lf + 2, lf + 2 + size));
    at = lf + 2 + size + 2;
  }
}

/** How many of the bytes behind a response's head are its body; undefined while it is not whole. */
export function bodyLength(head: Head, bytes: Buffer, method: string, closed: boolean): number | undefined {
  if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) return 0;
  if (head.fields.get("transfer-encoding") === "chunked") return chunkedLength(bytes);
  const length = head.fields.get("content-length");
  if (length === undefined) return closed ? bytes.length : undefined;
  return bytes.length >= Number(length) ? Number(length) : undefined;
}

/** The same for a request, read the simple way: a coding wins over a length. */
export function requestLength(head: Head, bytes: Buffer): number | undefined {
  if (head.fields.has("transfer-encoding")) return chunkedLength(bytes);
  const length = Number.parseInt(head.fields.get("content-length") ?? "0", 10);
  return bytes.length >= length ? length : undefined;
}
