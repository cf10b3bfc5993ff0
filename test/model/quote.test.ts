// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { quote } from "../../src/model/quote.ts";
import { HOSTILE } from "../helpers/hostile.ts";

describe("quote", () => {
  test("leaves a plain word readable", () => assert.equal(quote("a.example"), '"a.example"'));
  test("escapes as JSON does", () => assert.equal(quote('a"\n\\'), '"a\\"\\n\\\\"'));
  test("shows other values", () => assert.equal(quote({ a: 1 }), '"{\\"a\\":1}"'));

  for (const [name, text] of Object.entries(HOSTILE)) {
    test(`is short, printable ASCII: ${name}`, () => {
      const quoted = quote(text);
      assert.match(quoted, /^[\x20-\x7e…]*$/);
      assert.ok(quoted.length <= 110, `${quoted.length} characters`);
      const body = /^"(.*?)…?"(?: \(\d+ characters\))?$/s.exec(quoted)?.[1] ?? "";
      assert.doesNotThrow(() => JSON.parse(`"${body}"`), quoted);
    });
  }

  test("never cuts an escape sequence in two", () => {
    for (let n = 0; n < 100; n++) {
      for (const tail of ["\n", '"', "\\", "é", "\u0000"]) {
        const quoted = quote("x".repeat(n) + tail.repeat(100));
        const body = /^"(.*)…" \(\d+ characters\)$/s.exec(quoted)?.[1] ?? "";
        assert.doesNotThrow(() => JSON.parse(`"${body}"`), quoted);
      }
    }
  });
});
