// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { listFaults } from "../../docker/headers.ts";

const TOML = 'version = 1\n[[annotations]]\npath = ["a/*.json", "golden/**"]\n';
const LINE = "SPDX-License-Identifier: Apache-2.0";

function check(files: Readonly<Record<string, string>>): readonly string[] {
  return listFaults(Object.keys(files), (path) => files[path] ?? "", TOML);
}

test("a line at the top, or an entry of REUSE.toml", () => {
  const good = {
    "x.md": `<!-- ${LINE} -->\n`,
    "x.sh": `#!/bin/sh\n# ${LINE}\n`,
    "a/b.json": "{}",
    "golden/a/b": "",
  };
  assert.deepEqual(check(good), []);
  assert.match(check({ ...good, "y.yaml": "a: 1\n" }).join(), /^y\.yaml: no line/);
  assert.match(
    check({ ...good, "a/c/b.json": "{}" }).join(),
    /^a\/c\/b\.json: no line/,
    "* stays within a directory",
  );
  assert.match(check({ ...good, "late.md": `\n\n\n\n${LINE}` }).join(), /^late\.md/);
  assert.match(check({ ...good, "other.c": "// SPDX-License-Identifier: MIT\n" }).join(), /^other\.c/);
});

test("an entry that matches nothing any more", () => {
  assert.match(check({ "a/b.json": "" }).join(), /^REUSE\.toml: "golden\/\*\*" matches no file$/);
});
