// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LINES_PER_SECOND, LineLimiter } from "../../src/supervise/line-limiter.ts";
import { LineSplitter } from "../../src/supervise/lines.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

function split(chunks: readonly (string | Buffer)[], max = 10): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), max);
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe("LineSplitter", () => {
  test("joins chunks and splits lines, wherever they are cut", () => {
    const text = "one\r\ntwo\n\nthree";
    for (let cut = 0; cut <= text.length; cut++) {
      assert.deepEqual(split([text.slice(0, cut), text.slice(cut)]), ["one", "two", "three"]);
    }
  });

  test("a character of several bytes survives the cut", () => {
    const bytes = Buffer.from("grüße\n");
    assert.deepEqual(split([...bytes].map((byte) => Buffer.from([byte]))), ["grüße"]);
  });

  test("a long line is shown cut, once, and the next one is whole", () => {
    const long = "x".repeat(25);
    const expected = [`${"x".repeat(10)}…`, "next"];
    assert.deepEqual(split([`${long}\nnext\n`]), expected);
    assert.deepEqual(split([...`${long}\nnext\n`]), expected);
    assert.deepEqual(split([long]), [expected[0]]);
  });

  test("keeps no more than one line's limit of an endless line", () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), 10);
    for (let i = 0; i < 1000; i++) splitter.push(Buffer.alloc(1000, "x"));
    splitter.push(Buffer.from("\nend\n"));
    assert.deepEqual(lines, [`${"x".repeat(10)}…`, "end"]);
  });
});

test("LineLimiter drops what is too much for a second and says how much", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const limiter = new LineLimiter(clock, (line) => lines.push(line));
  for (let i = 0; i < LINES_PER_SECOND + 5; i++) limiter.push(`line ${i}`);
  assert.equal(lines.length, LINES_PER_SECOND);
  await clock.advance(1000);
  limiter.push("later");
  assert.deepEqual(lines.slice(-2), ["(5 lines dropped)", "later"]);
});
