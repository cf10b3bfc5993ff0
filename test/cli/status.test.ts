// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { execa } from "execa";
import { formatSubject, isWell } from "../../src/cli/status.ts";
import type { Inspection } from "../../src/inspect/types.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

const INSPECTION: Inspection = {
  version: "1",
  at: "2026-01-01T00:00:00.000Z",
  startedAt: "2026-01-01T00:00:00.000Z",
  missing: [],
  children: [{ name: "hitch", phase: "ready", pid: 7, current: true }],
  balanceError: "no answer",
  routes: [{ host: "a.example", path: "/*", lane: "http", pool: "ns/a:80", how: [], ingresses: ["ns/a"] }],
  certificates: [],
  pools: [],
  problems: [
    { object: "Ingress ns/w", severity: "warning", reason: "Odd", message: "w" },
    { object: "Ingress ns/e", severity: "error", reason: "Odd", message: "\u001b[31mred\n" },
  ],
  files: [],
  reloads: [],
};

async function serve(t: TestContext, status: number, body: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "evener-status-"));
  const server = createServer((_request, response) => {
    response.writeHead(status);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(join(dir, "inspect.sock"), resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });
  return dir;
}

const run = (dir: string, ...args: string[]) =>
  execa(process.execPath, [MAIN, "status", "--run-dir", dir, ...args], { reject: false });

test("well is ready, with the newest configuration; strictly, without errors", () => {
  assert.equal(isWell(INSPECTION, false), true);
  assert.equal(isWell(INSPECTION, true), false);
  assert.equal(isWell({ ...INSPECTION, problems: INSPECTION.problems.slice(0, 1) }, true), true);
  assert.equal(isWell({ ...INSPECTION, missing: ["hitch is starting"] }, false), false);
  const older = [{ name: "hitch", phase: "ready", current: false }];
  assert.equal(isWell({ ...INSPECTION, children: older }, false), false);
});

test("tables for every subject; errors come first, and no terminal obeys a message", () => {
  const subjects = ["overview", "routes", "certificates", "pools", "problems", "reloads", "files"] as const;
  for (const subject of subjects) {
    const text = formatSubject(subject, INSPECTION);
    assert.doesNotMatch(text, /[^\x20-\x7e\n]/, subject);
    assert.match(text, /\S\n$/, subject);
  }
  assert.match(
    formatSubject("problems", INSPECTION),
    /^OBJECT +STATE .*\nIngress ns\/e +error .*\nIngress ns\/w/,
  );
  assert.match(formatSubject("overview", INSPECTION), /Connections +unknown: no answer/);
});

test("exit statuses, and JSON of the whole and of a part", async (t) => {
  const dir = await serve(t, 200, JSON.stringify(INSPECTION));
  assert.equal((await run(dir)).exitCode, 0);
  assert.equal((await run(dir, "--strict")).exitCode, 1);
  assert.deepEqual(JSON.parse((await run(dir, "-o", "json")).stdout), INSPECTION);
  assert.deepEqual(JSON.parse((await run(dir, "routes", "-o", "json")).stdout), INSPECTION.routes);
  assert.equal((await run(dir, "-o", "yaml")).exitCode, 64);
  assert.equal((await run(dir, "secrets")).exitCode, 64);
  const ill = await serve(t, 200, JSON.stringify({ ...INSPECTION, missing: ["x"] }));
  assert.equal((await run(ill)).exitCode, 1);
});

test("nobody there, an answer that is none, a refusal: 69, and why", async (t) => {
  const nowhere = await run("/tmp/evener-nowhere");
  assert.deepEqual([nowhere.exitCode, /no socket .*--run-dir/.test(nowhere.stderr)], [69, true]);
  const garbled = await run(await serve(t, 200, "<html>"));
  assert.deepEqual([garbled.exitCode, /no JSON/.test(garbled.stderr)], [69, true]);
  const broken = await run(await serve(t, 500, "boom"));
  assert.deepEqual([broken.exitCode, /500: boom/.test(broken.stderr)], [69, true]);
});
