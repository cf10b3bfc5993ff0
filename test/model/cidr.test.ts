// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalRange } from "../../src/model/cidr.ts";

const CASES: Readonly<Record<string, string | undefined>> = {
  "10.1.2.3": "10.1.2.3",
  "10.1.2.3/32": "10.1.2.3",
  "10.1.2.3/31": "10.1.2.2/31",
  "10.1.2.3/12": "10.0.0.0/12",
  "255.255.255.255/1": "128.0.0.0/1",
  "255.255.255.255/0": "0.0.0.0/0",
  "10.0.0.0/008": "10.0.0.0/8",
  "2001:DB8:0:0::1": "2001:db8::1",
  "2001:db8:ffff::/33": "2001:db8:8000::/33",
  "::/0": "::/0",
  "::1/128": "::1",
  "1:2:3:4:5:6:7:8/64": "1:2:3:4::/64",
  "1::8/127": "1::8/127",
  "1::9/127": "1::8/127",
  "::ffff:10.0.0.1": "10.0.0.1",
  "::ffff:a01:203/104": "10.0.0.0/8",
  "::ffff:0:0/96": "0.0.0.0/0",
  "::ffff:10.0.0.1/95": "::fffe:0:0/95",
  "10.0.0.0/33": undefined,
  "::/129": undefined,
  "10.0.0.0/": undefined,
  "/8": undefined,
  "10.0.0.0/8/8": undefined,
  "10.0.0": undefined,
  "010.0.0.1": undefined,
  "fe80::1%eth0": undefined,
  "10.0.0.0/8 ": undefined,
  "": undefined,
  "a.example": undefined,
};

test("ranges have one spelling, or are none", () => {
  for (const [text, wanted] of Object.entries(CASES)) {
    assert.equal(canonicalRange(text), wanted, text);
    if (wanted !== undefined) assert.equal(canonicalRange(wanted), wanted, `${wanted} again`);
  }
});
