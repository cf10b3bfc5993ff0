// SPDX-License-Identifier: Apache-2.0
/** The whole rendering with default values, as a file: whoever changes it reads the difference (make chart-golden). */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "node:test";
import { templateText } from "../tools/helm.ts";

const FILE = join(import.meta.dirname, "golden/default.yaml");

test("the default installation", async () => {
  const text = `# SPDX-License-Identifier: Apache-2.0\n${await templateText()}\n`;
  if (process.env.EVENER_GOLDEN === "write") {
    await mkdir(dirname(FILE), { recursive: true });
    await writeFile(FILE, text);
  }
  assert.equal(text, await readFile(FILE, "utf8"));
});
