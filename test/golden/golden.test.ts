// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { listCases, loadCase, readExpected, runCase, shuffleFiles } from "./cases.ts";

const WRITE = process.env.EVENER_GOLDEN === "write";
const ORDERS = 8;

describe("golden cases", () => {
  for (const name of listCases()) {
    test(name, async () => {
      const golden = await loadCase(name);
      const outputs = runCase(golden);
      const out = join(golden.dir, "out");
      if (WRITE) {
        rmSync(out, { recursive: true, force: true });
        mkdirSync(out);
        for (const [file, text] of outputs) writeFileSync(join(out, file), text);
      }
      for (const [file, text] of outputs) {
        assert.equal(
          text,
          readExpected(golden.dir, file),
          `${name}/out/${file} (make golden writes it anew)`,
        );
      }
      assert.deepEqual(readdirSync(out).sort(), [...outputs.keys()].sort());

      for (let seed = 1; seed <= ORDERS; seed++) {
        const shuffled = runCase(golden, shuffleFiles(golden.files, seed));
        for (const [file, text] of outputs) {
          assert.equal(
            shuffled.get(file),
            text,
            `${name}: ${file} depends on the order of documents, seed ${seed}`,
          );
        }
      }
    });
  }
});
