// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { createBalanceClient } from "../../src/balance-client/client.ts";

let dir = "";
let path = "";
let server: Server;
let answer: (command: string, socket: Socket) => void;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "evener-control-"));
  path = join(dir, "control.sock");
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => answer(data.toString(), socket));
  });
  server.listen(path);
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  await rm(dir, { recursive: true });
});

test("an answer may come in any pieces, and the connection may stay open", async () => {
  const text = '{"pool":"a","groups":[]}\n{"pool":"b","groups":[]}\n{"ok":true,"pools":2}\n';
  for (const size of [1, 7, 1000]) {
    answer = (command, socket) => {
      assert.equal(command, "pools\n");
      for (let at = 0; at < text.length; at += size) socket.write(text.slice(at, at + size));
    };
    const pools = await createBalanceClient(path).pools();
    assert.deepEqual(
      pools.map((pool) => pool.pool),
      ["a", "b"],
    );
  }
});

test("a refusal carries Balance's reason", async () => {
  answer = (_, socket) => socket.write('{"ok":false,"error":"balance.conf:3: unknown directive"}\n');
  await assert.rejects(createBalanceClient(path).reload(), {
    code: "REFUSED",
    message: "balance.conf:3: unknown directive",
  });
});

test("a long refusal is not cut into something else", async () => {
  const error = "x".repeat(100_000);
  answer = (_, socket) => socket.write(`${JSON.stringify({ ok: false, error })}\n`);
  await assert.rejects(createBalanceClient(path).reload(), { code: "REFUSED", message: error });
});

test("silence, a half answer, nonsense, nobody: unreachable, in time", async () => {
  answer = () => undefined;
  await assert.rejects(createBalanceClient(path, 50).status(), { code: "UNREACHABLE" });
  answer = (_, socket) => socket.end('{"pool":"a"}\n');
  await assert.rejects(createBalanceClient(path).pools(), { code: "UNREACHABLE" });
  answer = (_, socket) => socket.end("hello\n");
  await assert.rejects(createBalanceClient(path).status(), { code: "UNREACHABLE" });
  await assert.rejects(createBalanceClient(join(dir, "nobody")).status(), { code: "UNREACHABLE" });
});
