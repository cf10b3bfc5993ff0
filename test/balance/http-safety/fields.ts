// SPDX-License-Identifier: Apache-2.0
// Field lines: syntax, limits, and the fields that belong to one hop or that only a proxy may write.
import { type Case, forward, GET, HOST, POST, refuse, up } from "./case.ts";

function bad(name: string, fields: string, rfc = "9112 §5"): Case {
  return refuse(`field: ${name}`, rfc, `${GET}${fields}\r\n\r\n`);
}

/** The fields reach the backend as they are. */
function kept(name: string, fields: string, rfc = "9110 §5.5"): Case {
  return forward(`field: ${name}`, rfc, `${GET}${fields}\r\n\r\n`, up("GET / HTTP/1.1", `${fields}\r\n`));
}

/** Of the fields only `left` reaches the backend. */
function dropped(name: string, fields: string, left = "", rfc = "9110 §7.6.1"): Case {
  return forward(`field: ${name}`, rfc, `${GET}${fields}\r\n\r\n`, up("GET / HTTP/1.1", left));
}

const syntax: Case[] = [
  bad("no name", ": x", "9110 §5.1"),
  bad("no colon", "X-Name"),
  bad("a blank in the name", "X Name: y", "9110 §5.1"),
  bad("a blank before the colon", "X-Name : y", "9112 §5.1"),
  bad("a parenthesis in the name", "X(Name: y", "9110 §5.1"),
  bad("a bracket in the name", "X[Name]: y", "9110 §5.1"),
  bad("an at sign in the name", "X@Name: y", "9110 §5.1"),
  bad("a slash in the name", "X/Name: y", "9110 §5.1"),
  bad("quotes in the name", '"X": y', "9110 §5.1"),
  bad("NUL in the name", "X\0Name: y", "9110 §5.1"),
  bad("a control byte in the name", "X\x01: y", "9110 §5.1"),
  bad("DEL in the name", "X\x7f: y", "9110 §5.1"),
  bad("a high byte in the name", "X\xe9: y", "9110 §5.1"),
  bad("NUL in the value", "X: a\0b", "9110 §5.5"),
  bad("a control byte in the value", "X: a\x01b", "9110 §5.5"),
  bad("DEL in the value", "X: a\x7fb", "9110 §5.5"),
  bad("escape in the value", "X: \x1b[2J", "9110 §5.5"),
  bad("a bare CR in the value", "X: a\rb", "9112 §2.2"),
  bad("a bare CR at the end", "X: a\r", "9112 §2.2"),
  bad("a bare LF between fields", "X: a\nY: b", "9112 §2.2"),
  bad("folded with a blank", "X: a\r\n b", "9112 §5.2"),
  bad("folded with a tab", "X: a\r\n\tb", "9112 §5.2"),
  bad("folded to nothing", "X: a\r\n ", "9112 §5.2"),
  kept("no value", "X-Empty:"),
  kept("blanks around the value", "X-Name:  \t y \t "),
  kept("high bytes in the value", "X-Name: \xe9\xff"),
  kept("a tab in the value", "X-Name: a\tb"),
  kept("every sign a name may have", "!#$%&'*+-.^_`|~09az: y", "9110 §5.1"),
  kept("the same name again", "X-Name: a\r\nx-name: b", "9110 §5.2"),
  kept("a colon in the value", "X-Name: :a: b"),
];

const many = (n: number) => Array.from({ length: n }, (_, i) => `X-${i}: ${i}`).join("\r\n");

const limits: Case[] = [
  kept("128 of them", many(127), "6585 §5"),
  refuse("field: 129 of them", "6585 §5", `${GET}${many(128)}\r\n\r\n`, 431),
  kept("20,000 bytes in one", `X-Long: ${"x".repeat(20_000)}`, "6585 §5"),
  refuse("field: 40,000 bytes in one", "6585 §5", `${GET}X-Long: ${"x".repeat(40_000)}`, 431),
  refuse("field: a name of 40,000 bytes", "6585 §5", `${GET}${"x".repeat(40_000)}`, 431),
];

const hop: Case[] = [
  dropped("Connection names a field", "X-Hop: 1\r\nConnection: X-Hop", ""),
  dropped(
    "Connection names one of two",
    "X-Hop: 1\r\nX-End: 2\r\nConnection: x-hop, keep-alive",
    "X-End: 2\r\n",
  ),
  dropped("two Connection fields", "Connection: X-A\r\nX-A: 1\r\nConnection: X-B\r\nX-B: 2", ""),
  dropped("Connection names Host", "Connection: Host", ""),
  dropped("Connection names X-Forwarded-For", "Connection: X-Forwarded-For, X-Real-IP, X-Request-ID", ""),
  dropped("Connection names Connection", "Connection: Connection", ""),
  dropped("Connection with blanks and empty elements", "X-A: 1\r\nConnection: , ,X-A , ", ""),
  dropped("Keep-Alive", "Keep-Alive: timeout=5", ""),
  dropped("Proxy-Connection", "Proxy-Connection: keep-alive", ""),
  dropped("Proxy-Authorization", "Proxy-Authorization: Basic eA==", "", "9110 §11.7.2"),
  dropped("TE", "TE: trailers", "", "9110 §10.1.4"),
  dropped("Upgrade without Connection", "Upgrade: websocket", "", "9110 §7.8"),
  dropped("Connection: upgrade without Upgrade", "Connection: upgrade", "", "9110 §7.8"),
  dropped(
    "h2c",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "",
    "9113 §3.1",
  ),
  dropped("h2c behind another", "Connection: Upgrade\r\nUpgrade: websocket, h2c", "", "9113 §3.1"),
  forward(
    "field: Connection names Content-Length",
    "9110 §7.6.1",
    `${POST}Connection: Content-Length\r\nContent-Length: 3\r\n\r\nabc`,
    up("POST / HTTP/1.1", "Content-Length: 3\r\n", "abc"),
  ),
  forward(
    "field: Connection names Transfer-Encoding",
    "9110 §7.6.1",
    `${POST}Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    up("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"),
  ),
  forward(
    "field: an upgrade with a body is none",
    "9110 §7.8",
    `${POST}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc`,
    up("POST / HTTP/1.1", "Content-Length: 3\r\n", "abc"),
  ),
  forward(
    "field: an upgrade in HTTP/1.0 is none",
    "9110 §7.8",
    `GET / HTTP/1.0\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    up("GET / HTTP/1.0"),
  ),
  forward(
    "field: an upgrade goes on",
    "9110 §7.8",
    `${GET}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    up("GET / HTTP/1.1").replace(/\r\n$/, "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
  ),
];

const spoofs: Case[] = [
  dropped("X-Forwarded-For", "X-Forwarded-For: 6.6.6.6", "", "7239 §8.1"),
  dropped(
    "X-Forwarded-*",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1",
    "",
    "7239 §8.1",
  ),
  dropped(
    "X-Forwarded-Prefix and others",
    "X-Forwarded-Prefix: /x\r\nx-forwarded-user: root",
    "",
    "7239 §8.1",
  ),
  dropped("Forwarded", "Forwarded: for=6.6.6.6", "", "7239 §8.1"),
  dropped("X-Real-IP", "X-Real-IP: 6.6.6.6", "", "7239 §8.1"),
  dropped("X-Request-ID", "X-Request-ID: chosen", "", "7239 §8.1"),
  dropped("ssl-client-*", "ssl-client-verify: SUCCESS\r\nSSL-Client-Subject-DN: CN=root", "", "9440 §3.1"),
  dropped("X_Forwarded_For, which CGI takes for the same", "X_Forwarded_For: 6.6.6.6", "", "3875 §4.1.18"),
  dropped(
    "ssl_client_verify, which CGI takes for the same",
    "ssl_client_verify: SUCCESS",
    "",
    "3875 §4.1.18",
  ),
  dropped("X-Real_IP", "X-Real_IP: 6.6.6.6\r\nx_request-id: 1", "", "3875 §4.1.18"),
];

const expects: Case[] = [
  forward(
    "Expect: 100-continue with the body at once",
    "9110 §10.1.1",
    `${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
    up("POST / HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
  ),
  kept("Expect: 100-continue without a body", "Expect: 100-continue", "9110 §10.1.1"),
  kept("an expectation nobody knows", "Expect: the-unexpected", "9110 §10.1.1"),
  kept("Trailer", "Trailer: X-Sum", "9110 §6.6.2"),
];

export const fields: Case[] = [...syntax, ...limits, ...hop, ...spoofs, ...expects];
