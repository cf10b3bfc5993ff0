// SPDX-License-Identifier: Apache-2.0
// What a case of the safety suite is made of.

export type Expectation =
  /** This status, a closed connection, and nothing at the backend. */
  | { refused: number }
  /** These requests reach the backend byte by byte; then, if so said, the next one is refused. */
  | { forwarded: string[]; refused?: number };

export interface Case {
  name: string;
  /** Section that decides; "9112" is RFC 9112 (HTTP/1.1), "9110" RFC 9110 (semantics). */
  rfc: string;
  /** One byte per character. */
  send: string;
  expect: Expectation;
}

export const HOST = "Host: a.example\r\n";
export const POST = `POST / HTTP/1.1\r\n${HOST}`;
export const GET = `GET / HTTP/1.1\r\n${HOST}`;
/** Must never be taken for a request of its own. */
export const HIDDEN = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`;

/** What Balance adds to a request of an untrusted client over plain HTTP; the suite writes ID for the random identifier. */
function added(host: string): string {
  return (
    "X-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" +
    `X-Forwarded-Host: ${host}\r\nX-Forwarded-Port: 80\r\nX-Request-ID: ID\r\n`
  );
}

/** A request as the backend gets it. */
export function up(line: string, fields = "", body = "", host = "a.example"): string {
  return `${line}\r\nHost: ${host}\r\n${fields}${added(host)}\r\n${body}`;
}

export function refuse(name: string, rfc: string, send: string, status = 400): Case {
  return { name, rfc, send, expect: { refused: status } };
}

export function forward(name: string, rfc: string, send: string, ...forwarded: string[]): Case {
  return { name, rfc, send, expect: { forwarded } };
}

/** The first requests are good, what follows them is not. */
export function forwardThenRefuse(name: string, rfc: string, send: string, ...forwarded: string[]): Case {
  return { name, rfc, send, expect: { forwarded, refused: 400 } };
}
