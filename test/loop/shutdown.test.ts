// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { drainBalance, moveFrontend } from "../../src/loop/shutdown.ts";

test("for the drain Hitch's frontend moves to loopback, whichever way it is written", () => {
  const rest = 'backend = "/run/balance.sock"\npem-file = "/x.pem"\n';
  for (const frontend of ['frontend = "[*]:8443"\n', 'frontend = {\n  host = "*"\n  port = "8443"\n}\n']) {
    assert.equal(
      moveFrontend(`# A comment.\n${frontend}${rest}`),
      `frontend = "[127.0.0.1]:0"\n# A comment.\n${rest}`,
    );
  }
  const template = readFileSync(new URL("../../templates/hitch.conf.hbs", import.meta.url), "utf8");
  assert.equal(moveFrontend(template).match(/frontend =/g)?.length, 1);
});

test("for the drain Balance keeps its rules but no port, and no connection after an answer", () => {
  const text = `hash 1
listen http tcp:[::]:8080 proxy=none
listen https unix:/run/balance.sock proxy=v2
pool a/b:80 127.0.0.1:80
route http a.example a/b:80
route https a.example a/b:80
`;
  assert.equal(
    drainBalance(text, "/run"),
    `hash 1
listen http unix:/run/drain-http.sock proxy=none
listen https unix:/run/balance.sock proxy=v2
pool a/b:80 127.0.0.1:80
route http a.example a/b:80
route https a.example a/b:80

http keep-alive=off
`,
  );
});
