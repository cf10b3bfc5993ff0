// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChildLine } from "../../src/run/child-log.ts";

const cases: [string, ReturnType<typeof parseChildLine>][] = [
  [
    "20261123T063558.304515 [ 5687] {core} hitch 1.8.0 starting",
    { level: "info", pid: 5687, text: "hitch 1.8.0 starting" },
  ],
  [
    "20261123T063632.822488 [ 6020] Config reload failed: line 31: no such file",
    { level: "warn", pid: 6020, text: "Config reload failed: line 31: no such file" },
  ],
  [
    "20261123T063558.308475 [ 5687] {core} ERROR: Refusing to run workers as root.",
    { level: "warn", pid: 5687, text: "ERROR: Refusing to run workers as root." },
  ],
  [
    "20261123T064446.675600 [28378] 127.0.0.1:41030 :0 7:8 Handshake failure: error:0A000126:SSL routines::unexpected eof while reading",
    {
      level: "debug",
      pid: 28378,
      text: "127.0.0.1:41030 :0 7:8 Handshake failure: error:0A000126:SSL routines::unexpected eof while reading",
    },
  ],
  [
    "balance[7]: error: balance.conf:3: unknown directive",
    { level: "error", pid: 7, text: "balance.conf:3: unknown directive" },
  ],
  ["balance[7]: warning: half", { level: "warn", pid: 7, text: "half" }],
  ["Segmentation fault", { level: "info", text: "Segmentation fault" }],
  ["", { level: "info", text: "" }],
];

for (const [line, expected] of cases) {
  test(`a child's line: ${line.slice(0, 60)}`, () => assert.deepEqual(parseChildLine(line), expected));
}
