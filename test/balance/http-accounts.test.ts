// SPDX-License-Identifier: Apache-2.0
// Access log and counters.
import assert from "node:assert/strict";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { startBackend, text } from "./http-lib/backend.ts";
import { type HttpBalance, skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane } from "./http-lib/lane.ts";
import { fetchRaw, get, RawClient } from "./http-lib/raw-client.ts";
import { until } from "./lib/until.ts";

type Line = Record<string, string | number>;

async function logLines(balance: HttpBalance, n: number, name = "access.log"): Promise<Line[]> {
  const read = async () =>
    (await readFile(join(balance.dir, name), "utf8")).split("\n").filter((line) => line !== "");
  await until(`${n} lines in the access log`, async () => (await read()).length >= n);
  return (await read()).map((line) => JSON.parse(line));
}

suite("accounts of the HTTP lane", { skip: skipWithoutBalance() }, () => {
  test("one JSON line per request", async (t) => {
    const pod = await startBackend(t, () => text("hello"));
    const lane = await startLane(
      t,
      `access-log @DIR@/access.log\npool web/p ${pod.channel}\nrule main a.example prefix /x web/p\n` +
        "rule main a.example prefix /old - redirect=301,/new\n",
    );
    await lane.get("/x/y?secret=1", "A.Example:80");
    await lane.get("/nowhere");
    await lane.get("/old");
    await fetchRaw(lane.port, "BAD\r\n\r\n");
    await fetchRaw(lane.port, "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc");
    const lines = await logLines(lane.balance, 5);
    const [got, missing, moved, bad, posted] = lines;
    assert.ok(got && missing && moved && bad && posted);
    assert.match(String(got.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(got.client, "127.0.0.1");
    assert.equal(got.method, "GET");
    assert.equal(got.host, "a.example");
    assert.equal(got.path, "/x/y");
    assert.equal(got.status, 200);
    assert.equal(got.pool, "web/p");
    assert.equal(got.endpoint, pod.channel);
    assert.ok(Number(got.bytes_in) > 40 && Number(got.bytes_out) > 40);
    assert.ok(Number(got.duration) >= 0 && Number(got.upstream_time) >= 0);
    assert.equal(got.request_id, pod.requests[0]?.fields.get("x-request-id"));
    assert.deepEqual([missing.status, missing.pool, missing.endpoint], [404, "", ""]);
    assert.equal(moved.status, 301);
    assert.equal(bad.status, 400);
    assert.equal(posted.method, "POST");
  });

  test("every line is JSON, whatever was asked", async (t) => {
    const pod = await startBackend(t);
    const lane = await startLane(
      t,
      `access-log @DIR@/access.log\ntrust 127.0.0.1/32\npool p ${pod.channel}\ndefault main p\n`,
    );
    const paths = ['/"', "/\\", "/a%0ab", "/%22", `/${"x".repeat(8000)}`, "/<script>", "/'{}[]", "*"];
    for (const path of paths)
      await fetchRaw(lane.port, get(path, "a.example", "", path === "*" ? "OPTIONS" : "GET"));
    for (const id of ['"', "\\", "\xff\xfe", "\t", "x".repeat(500), '","status":1,"x":"'])
      await fetchRaw(lane.port, get("/", "a.example", `X-Request-ID: ${id}\r\n`));
    const lines = await logLines(lane.balance, paths.length + 6);
    assert.ok(lines.every((line) => line.status === 200));
    assert.deepEqual(
      lines.slice(0, 3).map((line) => line.path),
      ['/"', "/\\", "/a%0ab"],
    );
  });

  test("a reload opens the log anew", async (t) => {
    const pod = await startBackend(t);
    const rest = `access-log @DIR@/access.log\npool p ${pod.channel}\ndefault main p\n`;
    const lane = await startLane(t, rest);
    await lane.get("/before");
    await logLines(lane.balance, 1);
    await rename(join(lane.balance.dir, "access.log"), join(lane.balance.dir, "old.log"));
    await lane.balance.load(lane.conf(rest));
    await lane.get("/after");
    assert.equal((await logLines(lane.balance, 1))[0]?.path, "/after");
    assert.equal((await logLines(lane.balance, 1, "old.log"))[0]?.path, "/before");
  });

  test("499 when the client leaves first", async (t) => {
    const pod = await startBackend(t, () => undefined);
    const lane = await startLane(t, `access-log @DIR@/access.log\npool p ${pod.channel}\ndefault main p\n`);
    const client = await RawClient.open(lane.port);
    client.send(get("/gone"));
    await until("asked", () => pod.requests.length === 1);
    client.socket.resetAndDestroy();
    const [line] = await logLines(lane.balance, 1);
    assert.deepEqual([line?.status, line?.path, line?.pool], [499, "/gone", "p"]);
  });

  test("counters by code and pool", async (t) => {
    const pod = await startBackend(t, (r) => {
      const status = /\/(\d{3})/.exec(r.line)?.[1] ?? "200";
      return `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`;
    });
    const lane = await startLane(
      t,
      `pool p ${pod.channel}\npool none\nrule main a.example prefix / p\nrule main b.example prefix / none\n`,
      { workers: 2 },
    );
    for (const status of [200, 200, 200, 301, 404, 500]) await lane.get(`/${status}`);
    await lane.get("/", "b.example");
    await lane.get("/", "c.example");
    await fetchRaw(lane.port, "BAD\r\n\r\n");
    const codes = await lane.balance.codes();
    assert.deepEqual(codes, { 200: 3, 301: 1, 400: 1, 404: 2, 500: 1, 503: 1 });
    const counted = (await lane.balance.httpPool("p")).http ?? {};
    const classes = ["2xx", "3xx", "4xx", "5xx", "active"].map((name) => counted[name]);
    assert.deepEqual(classes, [3, 1, 1, 1, 0]);
    assert.equal((await lane.balance.httpPool("none")).http?.["5xx"], 1);
  });
});
