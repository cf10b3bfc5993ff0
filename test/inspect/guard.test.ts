// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asked, refuse } from "../../src/inspect/guard.ts";

const asked = (more: Partial<Asked>): Asked => ({
  method: "GET",
  hosts: ["localhost:10354"],
  fetchSite: undefined,
  fetchMode: undefined,
  ...more,
});
const statusOf = (more: Partial<Asked>, names: readonly string[] = []) => refuse(asked(more), names)?.status;

test("addresses, localhost and names that were given are ours", () => {
  for (const host of [
    "localhost",
    "LOCALHOST:1",
    "127.0.0.1:10354",
    "10.1.2.3",
    "[::1]",
    "[2001:db8::7]:65535",
  ])
    assert.equal(statusOf({ hosts: [host] }), undefined, host);
  assert.equal(statusOf({ hosts: ["page.example:80"] }, ["page.example"]), undefined);
});

test("any other name is not: it may be anybody's that leads here", () => {
  const names = [
    "",
    "a.example",
    "localhost.a.example",
    "localhost.",
    "127.0.0.1.a.example",
    "[a.example]",
    "::1",
  ];
  const odd = [
    "localhost:",
    "localhost:1:2",
    "localhost/x",
    "a@localhost",
    "127.1",
    "0x7f000001",
    "[::1",
    "localhost\u0000",
  ];
  for (const host of [...names, ...odd]) assert.equal(statusOf({ hosts: [host] }), 403, JSON.stringify(host));
});

test("no Host, and two of them", () => {
  assert.equal(statusOf({ hosts: [] }), 400);
  assert.equal(statusOf({ hosts: ["localhost", "a.example"] }), 400);
});

test("nothing but reading", () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "get", undefined])
    assert.equal(statusOf({ method }), 405, String(method));
  assert.equal(statusOf({ method: "HEAD" }), undefined);
});

test("another site may link here, and nothing else", () => {
  for (const fetchSite of ["cross-site", "same-site"]) {
    for (const fetchMode of ["no-cors", "cors", "websocket", undefined])
      assert.equal(statusOf({ fetchSite, fetchMode }), 403, `${fetchSite} ${fetchMode}`);
    assert.equal(statusOf({ fetchSite, fetchMode: "navigate" }), undefined);
  }
  assert.equal(statusOf({ fetchSite: "same-origin", fetchMode: "cors" }), undefined);
});
