// SPDX-License-Identifier: Apache-2.0
// Content-Length and Transfer-Encoding: where a message ends.
import { type Case, forward, forwardThenRefuse, GET, HIDDEN, HOST, POST, refuse, up } from "./case.ts";

const CHUNKED = "Transfer-Encoding: chunked\r\n";
const EMPTY = "0\r\n\r\n";

function badLength(name: string, value: string, rfc = "9110 §8.6"): Case {
  return refuse(`Content-Length ${name}`, rfc, `${POST}Content-Length: ${value}\r\n\r\nabc`);
}

function badCoding(name: string, value: string, rfc = "9112 §6.1"): Case {
  return refuse(
    `Transfer-Encoding ${name}`,
    rfc,
    `${POST}Transfer-Encoding: ${value}\r\n\r\n${EMPTY}${HIDDEN}`,
  );
}

/** The body is there whole, and the field as it was sent. */
function goodLength(name: string, field: string): Case {
  return forward(
    name,
    "9110 §8.6",
    `${POST}${field}\r\n\r\nabc`,
    up("POST / HTTP/1.1", `${field}\r\n`, "abc"),
  );
}

function goodCoding(name: string, field: string): Case {
  return forward(
    name,
    "9112 §7",
    `${POST}${field}\r\n\r\n3\r\nabc\r\n${EMPTY}`,
    up("POST / HTTP/1.1", `${field}\r\n`, `3\r\nabc\r\n${EMPTY}`),
  );
}

const lengths: Case[] = [
  refuse("two lengths that differ", "9112 §6.3", `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`),
  refuse("two equal lengths", "9112 §6.3", `${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`),
  refuse(
    "two equal lengths, other spelling",
    "9112 §6.3",
    `${POST}Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc`,
  ),
  refuse(
    "two lengths, one zero",
    "9112 §6.3",
    `${POST}Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  ),
  badLength("list of equal ones", "3, 3"),
  badLength("list of different ones", "3, 4"),
  badLength("list with an empty element", "3,"),
  badLength("with plus", "+3"),
  badLength("negative", "-3"),
  badLength("hexadecimal", "0x3"),
  badLength("with a blank inside", "3 3"),
  badLength("with a tab inside", "3\t3"),
  badLength("with letters", "3a"),
  badLength("of letters", "abc"),
  badLength("empty", ""),
  badLength("with a fraction", "3.0"),
  badLength("with an exponent", "3e0"),
  badLength("with an underscore", "0_3"),
  badLength("in quotes", '"3"'),
  badLength("with a semicolon", "3;"),
  badLength("in Arabic digits", "\xd9\xa3"),
  badLength("after a vertical tab", "\v3", "9110 §5.5"),
  badLength("with NUL", "3\0", "9110 §5.5"),
  badLength("beyond 64 bits by three", "18446744073709551619"),
  badLength("of thirty digits", "9".repeat(30)),
  refuse("Content-Length with a blank before the colon", "9112 §5.1", `${POST}Content-Length : 3\r\n\r\nabc`),
  refuse("Content-Length with a tab before the colon", "9112 §5.1", `${POST}Content-Length\t: 3\r\n\r\nabc`),
  refuse("Content-Length with NUL before the colon", "9110 §5.1", `${POST}Content-Length\0: 3\r\n\r\nabc`),
  refuse("Content-Length behind a bare CR", "9112 §2.2", `${POST}X: y\rContent-Length: 3\r\n\r\nabc`),
  refuse("Content-Length behind a bare LF", "9112 §2.2", `${POST}X: y\nContent-Length: 3\r\n\r\nabc`),
  refuse("Content-Length on a folded line", "9112 §5.2", `${POST}Content-Length:\r\n 3\r\n\r\nabc`),
  goodLength("Content-Length", "Content-Length: 3"),
  goodLength("Content-Length without a blank", "Content-Length:3"),
  goodLength("Content-Length between blanks", "Content-Length:   3  "),
  goodLength("Content-Length after a tab", "Content-Length:\t3"),
  badLength("before a tab, which is legal and refused all the same", "3\t"),
  goodLength("Content-Length with leading zeros", "Content-Length: 0003"),
  goodLength("Content-Length in capitals", "CONTENT-LENGTH: 3"),
  forward(
    "Content-Length 0",
    "9110 §8.6",
    `${POST}Content-Length: 0\r\n\r\n`,
    up("POST / HTTP/1.1", "Content-Length: 0\r\n"),
  ),
  forward("POST without a length has no body", "9112 §6.3", `${POST}\r\n`, up("POST / HTTP/1.1")),
  forward(
    "GET with a body",
    "9110 §9.3.1",
    `${GET}Content-Length: 3\r\n\r\nabc`,
    up("GET / HTTP/1.1", "Content-Length: 3\r\n", "abc"),
  ),
  forwardThenRefuse(
    "Content_Length is another field",
    "9110 §5.1",
    `${POST}Content_Length: 3\r\n\r\nabc`,
    up("POST / HTTP/1.1", "Content_Length: 3\r\n"),
  ),
];

const both: Case[] = [
  refuse("length, then coding", "9112 §6.1", `${POST}Content-Length: 6\r\n${CHUNKED}\r\n${EMPTY}G`),
  refuse("coding, then length", "9112 §6.1", `${POST}${CHUNKED}Content-Length: 6\r\n\r\n${EMPTY}G`),
  refuse("coding and length 0", "9112 §6.1", `${POST}${CHUNKED}Content-Length: 0\r\n\r\n${EMPTY}`),
  refuse("coding and a broken length", "9112 §6.1", `${POST}${CHUNKED}Content-Length: abc\r\n\r\n${EMPTY}`),
  refuse(
    "TE.CL with a hidden request",
    "9112 §11.2",
    `${POST}Content-Length: 4\r\n${CHUNKED}\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${EMPTY}`,
  ),
  refuse(
    "CL.TE with a hidden request",
    "9112 §11.2",
    `${POST}Content-Length: ${EMPTY.length + HIDDEN.length}\r\n${CHUNKED}\r\n${EMPTY}${HIDDEN}`,
  ),
  refuse(
    "identity and a length",
    "9112 §6.1",
    `${POST}Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc`,
  ),
];

const codings: Case[] = [
  goodCoding("chunked", "Transfer-Encoding: chunked"),
  goodCoding("Chunked, without case", "Transfer-Encoding: Chunked"),
  goodCoding("chunked without a blank", "Transfer-Encoding:chunked"),
  goodCoding("chunked between blanks", "Transfer-Encoding:  chunked  "),
  goodCoding("chunked after a tab", "Transfer-Encoding:\tchunked"),
  badCoding("before a tab, which is legal and refused all the same", "chunked\t"),
  goodCoding("the field in lower case", "transfer-encoding: chunked"),
  badCoding("chunked twice in a list", "chunked, chunked"),
  badCoding("chunked not last", "chunked, identity"),
  badCoding("chunked before gzip", "chunked, gzip"),
  badCoding("gzip, chunked: a coding nobody here undoes", "gzip, chunked"),
  badCoding("identity, chunked", "identity, chunked"),
  badCoding("identity", "identity"),
  badCoding("gzip", "gzip"),
  badCoding("empty", ""),
  badCoding("with an empty element before", ",chunked"),
  badCoding("with an empty element after", "chunked,"),
  badCoding("x-chunked", "x-chunked"),
  badCoding("xchunked", "xchunked"),
  badCoding("chunkedx", "chunkedx"),
  badCoding("chunk", "chunk"),
  badCoding("chu nked", "chu nked"),
  badCoding("in double quotes", '"chunked"'),
  badCoding("in single quotes", "'chunked'"),
  badCoding("with a parameter", "chunked;q=1"),
  badCoding("behind a vertical tab", "\vchunked", "9110 §5.5"),
  badCoding("before a vertical tab", "chunked\v", "9110 §5.5"),
  badCoding("behind a form feed", "\fchunked", "9110 §5.5"),
  badCoding("before NUL", "chunked\0", "9110 §5.5"),
  badCoding("before a high byte", "chunked\xff"),
  badCoding("behind a no-break space", "\xa0chunked"),
  badCoding("on a folded line", "\r\n chunked", "9112 §5.2"),
  badCoding("ended by a folded line", "chunked\r\n , identity", "9112 §5.2"),
  badCoding("in two fields", "chunked\r\nTransfer-Encoding: chunked"),
  badCoding("in two fields, the first unknown", "cow\r\nTransfer-Encoding: chunked"),
  badCoding("in two fields, the second unknown", "chunked\r\nTransfer-Encoding: cow"),
  badCoding("in two fields, the second identity", "chunked\r\ntransfer-encoding: identity"),
  refuse(
    "a blank before the colon",
    "9112 §5.1",
    `${POST}Transfer-Encoding : chunked\r\n\r\n${EMPTY}${HIDDEN}`,
  ),
  refuse(
    "a tab before the colon",
    "9112 §5.1",
    `${POST}Transfer-Encoding\t: chunked\r\n\r\n${EMPTY}${HIDDEN}`,
  ),
  refuse("a blank before the field", "9112 §5.2", `${POST} Transfer-Encoding: chunked\r\n\r\n${EMPTY}`),
  refuse("behind a bare LF", "9112 §2.2", `${POST}X: y\nTransfer-Encoding: chunked\r\n\r\n${EMPTY}`),
  refuse("behind a bare CR", "9112 §2.2", `${POST}X: y\rTransfer-Encoding: chunked\r\n\r\n${EMPTY}`),
  refuse("behind CR CR LF", "9112 §2.2", `${POST}X: y\r\r\nTransfer-Encoding: chunked\r\n\r\n${EMPTY}`),
  refuse("a high byte in the name", "9110 §5.1", `${POST}Transfer-\xc9ncoding: chunked\r\n\r\n${EMPTY}`),
  refuse("NUL in the name", "9110 §5.1", `${POST}Transfer\0-Encoding: chunked\r\n\r\n${EMPTY}`),
  refuse("chunked in HTTP/1.0", "9112 §6.1", `POST / HTTP/1.0\r\n${HOST}${CHUNKED}\r\n${EMPTY}`),
  forwardThenRefuse(
    "Transfer_Encoding is another field",
    "9110 §5.1",
    `${POST}Transfer_Encoding: chunked\r\n\r\n${EMPTY}`,
    up("POST / HTTP/1.1", "Transfer_Encoding: chunked\r\n"),
  ),
  forward(
    "TE: chunked is another field and ends here",
    "9110 §10.1.4",
    `${POST}TE: chunked\r\nContent-Length: 3\r\n\r\nabc`,
    up("POST / HTTP/1.1", "Content-Length: 3\r\n", "abc"),
  ),
  forward(
    "GET with chunks",
    "9112 §6.3",
    `${GET}${CHUNKED}\r\n3\r\nabc\r\n${EMPTY}`,
    up("GET / HTTP/1.1", CHUNKED, `3\r\nabc\r\n${EMPTY}`),
  ),
];

export const framing: Case[] = [...lengths, ...both, ...codings];
