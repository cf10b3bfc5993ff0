// SPDX-License-Identifier: Apache-2.0
// The chunked coding, byte by byte (RFC 9112 §7.1).
import { type Case, forward, HIDDEN, POST, refuse, up } from "./case.ts";

const CHUNKED = "Transfer-Encoding: chunked\r\n";
const END = "0\r\n\r\n";

function bad(name: string, body: string, rfc = "9112 §7.1"): Case {
  return refuse(`chunks: ${name}`, rfc, `${POST}${CHUNKED}\r\n${body}`);
}

/** Passed on byte by byte, and as one request. */
function good(name: string, body: string, rfc = "9112 §7.1"): Case {
  return forward(
    `chunks: ${name}`,
    rfc,
    `${POST}${CHUNKED}\r\n${body}`,
    up("POST / HTTP/1.1", CHUNKED, body),
  );
}

const hiddenInside = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${END}`;

export const chunks: Case[] = [
  good("two", `3\r\nabc\r\n4\r\ndefg\r\n${END}`),
  good("none", END),
  good("size in capitals", `A\r\n0123456789\r\n${END}`),
  good("size in lower case", `a\r\n0123456789\r\n${END}`),
  good("size with leading zeros", `0003\r\nabc\r\n${END}`),
  good("last chunk of several zeros", "3\r\nabc\r\n000\r\n\r\n"),
  good("an extension", `3;name=value\r\nabc\r\n${END}`, "9112 §7.1.1"),
  good("an extension without value", `3;name\r\nabc\r\n${END}`, "9112 §7.1.1"),
  good("an extension in quotes", `3;name="a b"\r\nabc\r\n${END}`, "9112 §7.1.1"),
  good("an extension on the last chunk", "3\r\nabc\r\n0;name\r\n\r\n", "9112 §7.1.1"),
  good("a trailer", "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", "9112 §7.1.2"),
  good("two trailers", "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", "9112 §7.1.2"),
  good("a request in the data is data", hiddenInside),
  good("line ends in the data are data", `4\r\n\r\n\r\n\r\n${END}`),
  good("an end mark in the data is data", `5\r\n0\r\n\r\n\r\n${END}`),
  good("many of one byte", `${"1\r\nx\r\n".repeat(200)}${END}`),
  bad("size with 0x", `0x3\r\nabc\r\n${END}`),
  bad("size with plus", `+3\r\nabc\r\n${END}`),
  bad("size negative", `-3\r\nabc\r\n${END}`),
  bad("size behind a blank", ` 3\r\nabc\r\n${END}`),
  bad("size behind a tab", `\t3\r\nabc\r\n${END}`),
  bad("size before a blank", `3 \r\nabc\r\n${END}`),
  bad("size before a tab", `3\t\r\nabc\r\n${END}`),
  bad("size with a wrong digit", `3g\r\nabc\r\n${END}`),
  bad("size of no digit", `xyz\r\nabc\r\n${END}`),
  bad("size with an underscore", `0_3\r\nabc\r\n${END}`),
  bad("no size", `\r\nabc\r\n${END}`),
  bad("no size before an extension", `;a=b\r\nabc\r\n${END}`),
  bad("size before NUL", `3\0\r\nabc\r\n${END}`),
  bad("size with a comma", `3,3\r\nabc\r\n${END}`),
  bad("size beyond 64 bits", `10000000000000003\r\nabc\r\n${END}`),
  bad("size of 32 digits", `${"F".repeat(32)}\r\nabc\r\n${END}`),
  bad("size ended by LF", `3\nabc\r\n${END}`, "9112 §2.2"),
  bad("size ended by CR", `3\rabc\r\n${END}`, "9112 §2.2"),
  bad("size ended by CR CR LF", `3\r\r\nabc\r\n${END}`, "9112 §2.2"),
  bad("data ended by LF", `3\r\nabc\n${END}`, "9112 §2.2"),
  bad("data ended by CR", `3\r\nabc\r${END}`, "9112 §2.2"),
  bad("data longer than its size", `3\r\nabcdef\r\n${END}`),
  bad("data without its line end", `3\r\nabc${END}`),
  bad("data without its line end, two bytes of something else", `3\r\nabcXX${END}`),
  bad("last chunk ended by LF", "3\r\nabc\r\n0\n\r\n", "9112 §2.2"),
  bad("end mark of LF only", "3\r\nabc\r\n0\r\n\n", "9112 §2.2"),
  bad("end mark of CR CR LF", "3\r\nabc\r\n0\r\n\r\r\n", "9112 §2.2"),
  bad("extension with a bare LF", `3;a\nb\r\nabc\r\n${END}`, "9112 §7.1.1"),
  bad("extension ended by LF, size of the next hidden in it", `3;\nabc\r\n${END}`, "9112 §7.1.1"),
  bad("extension with a bare CR", `3;a\rb\r\nabc\r\n${END}`, "9112 §7.1.1"),
  bad("extension with NUL", `3;a\0b\r\nabc\r\n${END}`, "9112 §7.1.1"),
  bad("extension in open quotes", `3;a="b\r\nabc\r\n${END}`, "9112 §7.1.1"),
  bad("extensions of 20,000 bytes", `3;${"x".repeat(20_000)}\r\nabc\r\n${END}`, "9112 §7.1.1"),
  bad("trailers of 20,000 bytes", `0\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`, "9112 §7.1.2"),
  bad("trailer with a blank before the colon", "0\r\nX-Sum : 1\r\n\r\n", "9112 §5.1"),
  bad("trailer on a folded line", "0\r\nX-Sum: 1\r\n 2\r\n\r\n", "9112 §5.2"),
  bad("trailer ended by LF", "0\r\nX-Sum: 1\nX-More: 2\r\n\r\n", "9112 §2.2"),
  bad("trailer with NUL", "0\r\nX-Sum: \0\r\n\r\n", "9110 §5.5"),
  bad("trailer without a colon", "0\r\nX-Sum\r\n\r\n", "9112 §5"),
  bad("trailer without a name", "0\r\n: 1\r\n\r\n", "9110 §5.1"),
  bad("trailer that frames: Transfer-Encoding", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "9110 §6.5.1"),
  bad("trailer that frames: Content-Length", `0\r\nContent-Length: 40\r\n\r\n`, "9110 §6.5.1"),
];
