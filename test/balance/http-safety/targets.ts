// SPDX-License-Identifier: Apache-2.0
// Targets and Host: what is asked for, and of whom (RFC 9112 §3.2).
import { type Case, forward, HOST, refuse, up } from "./case.ts";

function badTarget(name: string, target: string, rfc = "9112 §3.2"): Case {
  return refuse(`target: ${name}`, rfc, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
}

/** As it was sent, or as `sent` says. */
function goodTarget(name: string, target: string, sent = target, rfc = "3986 §3.3"): Case {
  return forward(`target: ${name}`, rfc, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`, up(`GET ${sent} HTTP/1.1`));
}

function badHost(name: string, value: string, rfc = "9110 §7.2"): Case {
  return refuse(`Host: ${name}`, rfc, `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`);
}

function goodHost(name: string, value: string): Case {
  return forward(
    `Host: ${name}`,
    "9110 §7.2",
    `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`,
    up("GET / HTTP/1.1", "", "", value),
  );
}

function absolute(name: string, target: string, host: string, path: string): Case {
  return forward(
    `absolute: ${name}`,
    "9112 §3.2.2",
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    up(`GET ${path} HTTP/1.1`, "", "", target.replace(/^[^:]*:\/\//, "").replace(/[/?].*$/, "")),
  );
}

function badAbsolute(name: string, target: string, host = "a.example", rfc = "9112 §3.2.2"): Case {
  return refuse(`absolute: ${name}`, rfc, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

const origin: Case[] = [
  badTarget("a control byte", "/\x01"),
  badTarget("DEL", "/\x7f"),
  badTarget("NUL", "/a\0b"),
  badTarget("a tab", "/a\tb"),
  badTarget("a high byte", "/\xe9"),
  badTarget("UTF-8", "/\xc3\xa9"),
  badTarget("a fragment", "/a#b"),
  badTarget("a fragment behind a query", "/a?b#c"),
  badTarget("an escaped NUL", "/a%00b", "3986 §7.3"),
  badTarget("an escape that is none", "/%zz", "3986 §2.1"),
  badTarget("half an escape", "/a%2", "3986 §2.1"),
  badTarget("a lone percent sign", "/%", "3986 §2.1"),
  badTarget("no slash", "path"),
  badTarget("a query alone", "?a=b"),
  badTarget("a backslash first", "\\path"),
  badTarget("dots without a slash", "../x"),
  badTarget("a star with GET", "*", "9112 §3.2.4"),
  badTarget("host and port with GET", "a.example:80", "9112 §3.2.3"),
  badTarget("host and path without scheme", "a.example/x"),
  refuse("target: of 8,193 bytes", "9112 §3", `GET /${"a".repeat(8192)} HTTP/1.1\r\n${HOST}\r\n`, 414),
  refuse("target: of 40,000 bytes", "9112 §3", `GET /${"a".repeat(40_000)}`, 414),
  goodTarget("of 8,192 bytes", `/${"a".repeat(8191)}`, undefined, "9112 §3"),
  goodTarget("dot segments go on as they came", "/a/../b/./c"),
  goodTarget("above the root", "/../../etc/passwd"),
  goodTarget("escaped dots", "/a/%2e%2e/b"),
  goodTarget("an escaped slash", "/a%2fb"),
  goodTarget("escaped line ends", "/a%0d%0aX:%20y"),
  goodTarget("two slashes", "//a//b"),
  goodTarget("looks like an authority", "//b.example/x"),
  goodTarget("a semicolon", "/a;b=c/d"),
  goodTarget("bytes that RFC 3986 leaves out", '/"<>[]^`{|}\\'),
  goodTarget("a query", "/a?b=c&d=/?e"),
  goodTarget("an empty query", "/a?"),
  goodTarget("an escaped NUL in the query", "/a?b=%00"),
  forward(
    "target: a star with OPTIONS",
    "9112 §3.2.4",
    `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    up("OPTIONS * HTTP/1.1"),
  ),
];

const absolutes: Case[] = [
  absolute("as Host says", "http://a.example/x?y", "a.example", "/x?y"),
  absolute("without a path", "http://a.example", "a.example", "/"),
  absolute("with a query and no path", "http://a.example?x=1", "a.example", "/?x=1"),
  absolute("with a port", "http://a.example:80/", "a.example:80", "/"),
  absolute("https", "https://a.example/", "a.example", "/"),
  absolute("without case", "HTTP://A.Example/", "a.example", "/"),
  absolute("an IPv6 address", "http://[::1]/", "[::1]", "/"),
  badAbsolute("another host", "http://b.example/"),
  badAbsolute("another port", "http://a.example:8080/"),
  badAbsolute("a port that Host lacks", "http://a.example:80/"),
  badAbsolute("a user", "http://user@a.example/", "a.example", "9110 §4.2.4"),
  badAbsolute("a user, and Host the same", "http://u:p@a.example/", "u:p@a.example", "9110 §4.2.4"),
  badAbsolute("no authority", "http:///x"),
  badAbsolute("no authority, Host empty", "http:///x", ""),
  badAbsolute("one slash", "http:/a.example/"),
  badAbsolute("no slashes", "http:a.example"),
  badAbsolute("another scheme", "ftp://a.example/"),
  badAbsolute("file", "file:///etc/passwd"),
  badAbsolute("javascript", "javascript:alert(1)"),
  badAbsolute("a fragment", "http://a.example/#x"),
  badAbsolute("a backslash", "http://a.example\\x/"),
  badAbsolute("an escape in the host", "http://a%2eexample/", "a%2eexample"),
  refuse("absolute: no Host in HTTP/1.1", "9112 §3.2", "GET http://a.example/ HTTP/1.1\r\n\r\n"),
  refuse("absolute: Host empty", "9112 §3.2.2", "GET http://a.example/ HTTP/1.1\r\nHost:\r\n\r\n"),
  forward(
    "absolute: no Host in HTTP/1.0",
    "9112 §3.2.2",
    "GET http://a.example/x HTTP/1.0\r\n\r\n",
    up("GET /x HTTP/1.0"),
  ),
];

const hosts: Case[] = [
  refuse("Host: missing", "9112 §3.2", "GET / HTTP/1.1\r\n\r\n"),
  refuse("Host: twice, the same", "9112 §3.2", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`),
  refuse("Host: twice, different", "9112 §3.2", `GET / HTTP/1.1\r\n${HOST}Host: b.example\r\n\r\n`),
  refuse("Host: twice, one empty", "9112 §3.2", `GET / HTTP/1.1\r\nHost:\r\n${HOST}\r\n`),
  refuse("Host: twice in HTTP/1.0", "9112 §3.2", `GET / HTTP/1.0\r\n${HOST}host: b.example\r\n\r\n`),
  refuse("Host: a blank before the colon", "9112 §5.1", "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n"),
  refuse("Host: folded", "9112 §5.2", "GET / HTTP/1.1\r\nHost: a.example\r\n b.example\r\n\r\n"),
  refuse("Host: a bare LF before", "9112 §2.2", "GET / HTTP/1.1\r\nX: y\nHost: a.example\r\n\r\n"),
  badHost("two in a list", "a.example, b.example"),
  badHost("a blank inside", "a b"),
  badHost("a tab inside", "a\tb"),
  badHost("a path", "a.example/x"),
  badHost("a query", "a.example?x"),
  badHost("a fragment", "a.example#x"),
  badHost("a user", "user@a.example", "9110 §4.2.4"),
  badHost("a scheme", "http://a.example"),
  badHost("two ports", "a.example:80:80"),
  badHost("a port by name", "a.example:http"),
  badHost("a port of six digits", "a.example:123456"),
  badHost("a negative port", "a.example:-1"),
  badHost("IPv6 without brackets", "::1"),
  badHost("an open bracket", "[::1"),
  badHost("empty brackets", "[]"),
  badHost("something behind the bracket", "[::1]x"),
  badHost("letters in brackets", "[host]"),
  badHost("an escape", "a%2eexample"),
  badHost("a high byte", "\xe4.example"),
  badHost("NUL", "a\0.example", "9110 §5.5"),
  badHost("a star", "*"),
  badHost("quotes", '"a.example"'),
  badHost("a semicolon", "a.example;x"),
  badHost("markup", "<script>"),
  badHost("a backslash", "a.example\\b"),
  badHost("300 bytes", "a".repeat(300)),
  goodHost("a port", "a.example:8080"),
  goodHost("an empty port", "a.example:"),
  goodHost("upper case", "A.EXAMPLE"),
  goodHost("a final dot", "a.example."),
  goodHost("an underscore", "a_b.example"),
  goodHost("an IPv4 address", "192.0.2.1"),
  goodHost("an IPv6 address", "[2001:db8::1]:80"),
  goodHost("empty", ""),
];

export const targets: Case[] = [...origin, ...absolutes, ...hosts];
