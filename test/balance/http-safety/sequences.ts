// SPDX-License-Identifier: Apache-2.0
// Several requests on one connection, and bytes that only look like one.
import { type Case, forward, forwardThenRefuse, GET, HIDDEN, HOST, POST, refuse, up } from "./case.ts";

const SECOND = `GET /second HTTP/1.1\r\n${HOST}\r\n`;
const first = up("GET / HTTP/1.1");
const second = up("GET /second HTTP/1.1");
const withLength = (n: number) => `Content-Length: ${n}\r\n`;
const CHUNKED = "Transfer-Encoding: chunked\r\n";

export const sequences: Case[] = [
  forward("two requests at once", "9112 §9.3.2", `${GET}\r\n${SECOND}`, first, second),
  forward("an empty line between", "9112 §2.2", `${GET}\r\n\r\n${SECOND}`, first, second),
  forward(
    "ten requests at once",
    "9112 §9.3.2",
    `${GET}\r\n`.repeat(10),
    ...Array.from({ length: 10 }, () => first),
  ),
  forward(
    "a request in a body of that length",
    "9112 §6.2",
    `${POST}${withLength(HIDDEN.length)}\r\n${HIDDEN}`,
    up("POST / HTTP/1.1", withLength(HIDDEN.length), HIDDEN),
  ),
  forward(
    "a request in a body, one behind it",
    "9112 §6.2",
    `${POST}${withLength(HIDDEN.length)}\r\n${HIDDEN}${SECOND}`,
    up("POST / HTTP/1.1", withLength(HIDDEN.length), HIDDEN),
    second,
  ),
  forward(
    "a body, then a request",
    "9112 §6.2",
    `${POST}${withLength(3)}\r\nabc${SECOND}`,
    up("POST / HTTP/1.1", withLength(3), "abc"),
    second,
  ),
  forward(
    "chunks, then a request",
    "9112 §7.1",
    `${POST}${CHUNKED}\r\n3\r\nabc\r\n0\r\n\r\n${SECOND}`,
    up("POST / HTTP/1.1", CHUNKED, "3\r\nabc\r\n0\r\n\r\n"),
    second,
  ),
  forward(
    "chunks with trailers, then a request",
    "9112 §7.1.2",
    `${POST}${CHUNKED}\r\n0\r\nX-Sum: 1\r\n\r\n${SECOND}`,
    up("POST / HTTP/1.1", CHUNKED, "0\r\nX-Sum: 1\r\n\r\n"),
    second,
  ),
  forward(
    "GET with a body, then a request",
    "9110 §9.3.1",
    `${GET}${withLength(HIDDEN.length)}\r\n${HIDDEN}${SECOND}`,
    up("GET / HTTP/1.1", withLength(HIDDEN.length), HIDDEN),
    second,
  ),
  forward("close, then a request", "9112 §9.6", `${GET}Connection: close\r\n\r\n${HIDDEN}`, first),
  forward(
    "close in a list, then a request",
    "9112 §9.6",
    `${GET}Connection: keep-alive, Close\r\n\r\n${HIDDEN}`,
    first,
  ),
  forward(
    "HTTP/1.0, then a request",
    "9112 §9.3",
    `GET / HTTP/1.0\r\n${HOST}\r\n${HIDDEN}`,
    up("GET / HTTP/1.0"),
  ),
  forward(
    "HTTP/1.0 kept alive, then a request",
    "9112 §C.2.2",
    `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n${SECOND}`,
    up("GET / HTTP/1.0"),
    second,
  ),
  forward(
    "an upgrade that is not taken, then a request",
    "9110 §7.8",
    `${GET}Connection: Upgrade\r\nUpgrade: x\r\n\r\n${SECOND}`,
    first.replace(/\r\n$/, "Connection: upgrade\r\nUpgrade: x\r\n\r\n"),
    second,
  ),
  forward(
    "h2c that is not taken, then a request",
    "9113 §3.1",
    `${GET}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n${SECOND}`,
    first,
    second,
  ),
  refuse("a refused request, then a good one", "9112 §11.2", `${GET}X : y\r\n\r\n${HIDDEN}`),
  refuse("an unknown coding, then a good one", "9112 §11.2", `${POST}Transfer-Encoding: x\r\n\r\n${HIDDEN}`),
  forwardThenRefuse("a good one, then rubbish", "9112 §3", `${GET}\r\n\x01\x02\x03\r\n\r\n`, first),
  forwardThenRefuse(
    "a good one, then two lengths",
    "9112 §6.3",
    `${GET}\r\n${POST}${withLength(1)}${withLength(2)}\r\nab`,
    first,
  ),
  forwardThenRefuse(
    "more than the length says",
    "9112 §6.2",
    `${POST}${withLength(3)}\r\nabcdef\r\n\r\n`,
    up("POST / HTTP/1.1", withLength(3), "abc"),
  ),
  forwardThenRefuse(
    "more behind the last chunk",
    "9112 §7.1",
    `${POST}${CHUNKED}\r\n0\r\n\r\nabc\r\n\r\n`,
    up("POST / HTTP/1.1", CHUNKED, "0\r\n\r\n"),
  ),
  forwardThenRefuse(
    "a length without a body, then the body",
    "9112 §6.2",
    `${POST}${withLength(0)}\r\nabc\r\n\r\n`,
    up("POST / HTTP/1.1", withLength(0)),
  ),
];
