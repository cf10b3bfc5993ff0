// SPDX-License-Identifier: Apache-2.0
// The request line: method, target, version; and what is no HTTP/1.1 at all.
import { type Case, forward, GET, HOST, refuse, up } from "./case.ts";

function badLine(name: string, line: string, rfc = "9112 §3"): Case {
  return refuse(name, rfc, `${line}\r\n${HOST}\r\n`);
}

function version(name: string): Case {
  return badLine(`version ${name}`, `GET / ${name}`, "9112 §2.3");
}

function goodMethod(method: string): Case {
  return forward(
    `method ${method}`,
    "9110 §9",
    `${method} / HTTP/1.1\r\n${HOST}\r\n`,
    up(`${method} / HTTP/1.1`),
  );
}

const methods: Case[] = [
  ...["GET", "DELETE", "OPTIONS", "PATCH", "PUT", "TRACE", "PROPFIND", "PURGE"].map(goodMethod),
  badLine("method in lower case", "get / HTTP/1.1", "9110 §9.1"),
  badLine("method in mixed case", "Get / HTTP/1.1", "9110 §9.1"),
  badLine("method nobody registered", "BREW-IT / HTTP/1.1", "9110 §9.1"),
  badLine("method with a wrong byte", "G@T / HTTP/1.1", "9110 §9.1"),
  badLine("method with NUL", "GE\0T / HTTP/1.1", "9110 §9.1"),
  badLine("method with a high byte", "G\xc9T / HTTP/1.1", "9110 §9.1"),
  badLine("method of 5,000 letters", `${"A".repeat(5000)} / HTTP/1.1`, "9112 §3"),
  badLine("no method", "/ HTTP/1.1"),
  badLine("empty method", " / HTTP/1.1"),
  badLine("CONNECT with an authority", "CONNECT a.example:443 HTTP/1.1", "9110 §9.3.6"),
  badLine("CONNECT with a path", "CONNECT / HTTP/1.1", "9110 §9.3.6"),
];

const versions: Case[] = [
  ...["HTTP/1.2", "HTTP/0.9", "HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/1.10", "HTTP/01.1"].map(version),
  ...["HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/1,1", "http/1.1", "HTTP/1.1x", "HTTP/+1.1"].map(version),
  ...["HTTPS/1.1", "HTTP /1.1", "HTTP/ 1.1", "HTP/1.1", "RTSP/1.0", "ICE/1.0", "\xc8TTP/1.1"].map(version),
  badLine("no version, as HTTP/0.9 has it", "GET /", "9112 §2.3"),
  refuse("HTTP/0.9 and nothing more", "9112 §2.3", "GET /\r\n", 408),
  forward("HTTP/1.0 with Host", "9112 §2.3", `GET / HTTP/1.0\r\n${HOST}\r\n`, up("GET / HTTP/1.0")),
  forward("HTTP/1.0 without Host", "9112 §3.2", "GET / HTTP/1.0\r\n\r\n", up("GET / HTTP/1.0", "", "", "")),
];

const blanks: Case[] = [
  badLine("two blanks after the method", "GET  / HTTP/1.1"),
  badLine("a tab after the method", "GET\t/ HTTP/1.1"),
  badLine("a vertical tab after the method", "GET\v/ HTTP/1.1"),
  badLine("two blanks before the version", "GET /  HTTP/1.1"),
  badLine("a tab before the version", "GET /\tHTTP/1.1"),
  badLine("a blank after the version", "GET / HTTP/1.1 "),
  badLine("a tab after the version", "GET / HTTP/1.1\t"),
  badLine("a blank before the method", " GET / HTTP/1.1"),
  badLine("a blank within the target", "GET /a b HTTP/1.1"),
  badLine("a second target and version", "GET /a HTTP/1.1 /b HTTP/1.1"),
];

const ends: Case[] = [
  refuse("every line ended by LF", "9112 §2.2", "GET / HTTP/1.1\nHost: a.example\n\n"),
  refuse("the first line ended by LF", "9112 §2.2", `GET / HTTP/1.1\n${HOST}\r\n`),
  refuse("the first line ended by CR", "9112 §2.2", `GET / HTTP/1.1\r${HOST}\r\n`),
  refuse("the first line ended by CR CR LF", "9112 §2.2", `GET / HTTP/1.1\r\r\n${HOST}\r\n`),
  refuse("the last line ended by LF", "9112 §2.2", `${GET}\n`),
  refuse("the last field ended by LF", "9112 §2.2", "GET / HTTP/1.1\r\nHost: a.example\n\r\n"),
  refuse("the empty line is CR CR LF", "9112 §2.2", `${GET}\r\r\n`, 408),
  refuse("a bare CR within the line", "9112 §2.2", `GET /\rx HTTP/1.1\r\n${HOST}\r\n`),
  forward("one empty line first", "9112 §2.2", `\r\n${GET}\r\n`, up("GET / HTTP/1.1")),
  refuse("two empty lines first", "9112 §2.2", `\r\n\r\n${GET}\r\n`),
  refuse("a blank line first", "9112 §2.2", ` \r\n${GET}\r\n`),
  refuse("NUL first", "9112 §2.2", `\0${GET}\r\n`),
  refuse("a blank between the line and the fields", "9112 §2.2", `GET / HTTP/1.1\r\n ${HOST}\r\n`),
];

const others: Case[] = [
  refuse("the preface of HTTP/2", "9113 §3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
  refuse("a TLS ClientHello", "8446 §4.1.2", `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${"\x5a".repeat(508)}`),
  refuse("an SSH banner", "4253 §4.2", "SSH-2.0-OpenSSH_9.2\r\n", 408),
  refuse("PROXY version 1 where none is expected", "9112 §3", `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${GET}\r\n`),
  refuse(
    "PROXY version 2 where none is expected",
    "9112 §3",
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c000000000000",
  ),
  refuse("a response", "9112 §3", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
  refuse("FastCGI", "9112 §3", "\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0"),
  refuse("high bytes", "9112 §3", "\xff\xfe\xfd\xfc\r\n\r\n"),
  refuse("JSON", "9112 §3", '{"a":1}\r\n\r\n'),
];

export const lines: Case[] = [...methods, ...versions, ...blanks, ...ends, ...others];
