// SPDX-License-Identifier: Apache-2.0
// `evener ctl` as a person or a script runs it, against a real Balance.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { ask, type Balance, start } from "../balance/lib/balance.ts";
import { connect, exchange, freePort, named, type Pod, readLine } from "../balance/lib/net.ts";
import { until } from "../balance/lib/until.ts";
import { run as runBalance, start as startByHand } from "../balance-cli/lib/balance.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const POOL = "shop/web:80";

function evener(...args: string[]) {
  return execa(process.execPath, [MAIN, "ctl", ...args], { reject: false });
}

interface Setting {
  balance: Balance;
  /** `--socket` for it. */
  at: string;
  port: number;
  pods: Pod[];
}

async function serve(t: TestContext): Promise<Setting> {
  const pods = [await named(t, "a"), await named(t, "b")];
  const port = await freePort();
  const channels = `${pods[0]?.address}:7 ${pods[1]?.address}`;
  const balance = await start(
    t,
    `hash c0ffee\nworkers 2\nlisten web tcp:127.0.0.1:${port}\npool ${POOL} ${channels}\npool shop/empty:80\nroute web * ${POOL}`,
  );
  return { balance, at: `--socket=${balance.control}`, port, pods };
}

/** A table's rows as objects, by title. */
function rows(text: string): Record<string, string>[] {
  const [titles = "", ...lines] = text.trimEnd().split("\n");
  const columns = titles.trim().split(/\s{2,}/);
  return lines.map((line) => {
    const cells = line.trim().split(/\s{2,}/);
    assert.equal(cells.length, columns.length, line);
    return Object.fromEntries(columns.map((title, i) => [title, cells[i] ?? ""]));
  });
}

test("status: fields, workers and listeners; and as JSON just what Balance said", async (t) => {
  const { balance, at, port } = await serve(t);
  const table = await evener("status", at);
  assert.equal(table.exitCode, 0, table.stderr);
  assert.match(table.stdout, /^generation {2}1$/m);
  assert.match(table.stdout, /^hash {8}c0ffee$/m);
  const [fields, workers, listeners] = table.stdout.split("\n\n");
  assert.match(fields ?? "", /^state {7}serving$/m);
  assert.deepEqual(
    rows(workers ?? "").map((row) => Number(row.PID)),
    await balance.workers(),
  );
  assert.equal(rows(listeners ?? "")[0]?.ADDRESS, `tcp:127.0.0.1:${port}`);
  const json = JSON.parse((await evener("status", at, "-o", "json")).stdout);
  assert.deepEqual({ ...json, uptime: 0 }, { ...(await balance.status()), uptime: 0 });
});

test("pools: a line for each channel; one pool alone; a pool without channels", async (t) => {
  const { at, port, pods } = await serve(t);
  assert.notEqual(await exchange(port), "");
  const all = rows((await evener("pools", at)).stdout);
  assert.deepEqual(
    all.map((row) => [row.POOL, row.CHANNEL, row.STATE, row.WEIGHT, row.MAX]),
    [
      [POOL, pods[0]?.address, "up", "1", "7"],
      [POOL, pods[1]?.address, "up", "1", "-"],
      ["shop/empty:80", "-", "-", "-", "-"],
    ],
  );
  const one = await evener("pools", POOL, at, "-o", "json");
  const pools = one.stdout.split("\n").map((line) => JSON.parse(line));
  assert.equal(pools.length, 1);
  assert.equal(pools[0].groups[0].channels[0].channel, pods[0]?.address);
});

test("channel: drain, disable, weight and enable, shown at once and obeyed", async (t) => {
  const { at, port, pods } = await serve(t);
  const a = pods[0]?.address ?? "";
  for (const [action, state, weight] of [
    [["drain"], "draining", "0"],
    [["enable"], "up", "1"],
    [["weight", "12"], "up", "12"],
    [["disable"], "disabled", "12"],
  ] as const) {
    const { exitCode, stdout, stderr } = await evener("channel", POOL, a, ...action, at);
    assert.equal(exitCode, 0, stderr);
    const [row] = rows(stdout);
    assert.deepEqual([row?.CHANNEL, row?.STATE, row?.WEIGHT], [a, state, weight]);
  }
  for (let i = 0; i < 4; i++) assert.equal((await exchange(port)).trim(), "b");
  const json = await evener("channel", POOL, a, "enable", at, "-o", "json");
  assert.deepEqual(JSON.parse(json.stdout), { ok: true, pool: POOL, channel: a, channels: 1 });
});

test("top: the busiest first; --watch repeats it with rates until it is interrupted", async (t) => {
  const { at, port } = await serve(t);
  await readLine(connect(t, port));
  const [first, second] = rows((await evener("top", at)).stdout);
  assert.deepEqual([first?.POOL, first?.ACTIVE, first?.CHANNELS], [POOL, "1", "2"]);
  assert.equal(second?.POOL, "shop/empty:80");
  assert.equal(rows((await evener("top", "1", at)).stdout).length, 1);
  const watching = evener("top", "--watch", "50ms", at);
  let text = "";
  watching.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await until("it was repeated", () => (text.match(/TOTAL\/S/g) ?? []).length >= 2);
  watching.kill("SIGINT");
  assert.equal((await watching).exitCode, 0);
});

test("reset and http", async (t) => {
  const { balance, at, port } = await serve(t);
  await exchange(port);
  assert.equal((await evener("reset", at)).exitCode, 0);
  assert.equal((await balance.listener("web")).accepted, 0);
  const http = await evener("http", at);
  assert.equal(http.exitCode, 0);
  assert.match(http.stdout, /^answers {4}0$/m);
});

test("follow: a line for each event, as text or as JSON, until it is interrupted or Balance ends", async (t) => {
  const { balance, at, pods } = await serve(t);
  const text = evener("follow", at);
  const json = evener("follow", at, "-o", "json");
  const seen = { text: "", json: "" };
  text.stdout.on("data", (chunk: Buffer) => {
    seen.text += chunk.toString();
  });
  json.stdout.on("data", (chunk: Buffer) => {
    seen.json += chunk.toString();
  });
  await until("both follow", async () => {
    await ask(balance.control, "reset");
    return /reset/.test(seen.text) && /reset/.test(seen.json);
  });
  await ask(balance.control, `channel ${POOL} ${pods[0]?.address} drain`);
  const line = new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3} ${POOL} ${pods[0]?.address}: up -> draining$`, "m");
  await until("both tell", () => line.test(seen.text) && /"state":"draining"/.test(seen.json));
  text.kill("SIGINT");
  assert.equal((await text).exitCode, 0);
  balance.kill("SIGTERM");
  assert.equal((await json).exitCode, 69);
});

test("status 1: what Balance refuses, with its reason", async (t) => {
  const { at } = await serve(t);
  for (const [args, why] of [
    [["pools", "nobody/x:1"], /refused: there is no pool nobody\/x:1/],
    [["channel", POOL, "10.9.9.9:80", "drain"], /there is no channel 10\.9\.9\.9:80 in pool shop\/web:80/],
    [["channel", POOL, "somewhere", "drain"], /"somewhere" is not HOST:PORT/],
  ] as const) {
    const { exitCode, stderr } = await evener(...args, at);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, why);
  }
});

test("status 64: what is no command, and nothing of it reaches Balance", async (t) => {
  const { balance, at, pods } = await serve(t);
  const a = pods[0]?.address ?? "";
  for (const args of [
    ["bogus"],
    ["status", "too", "many"],
    ["channel", POOL],
    ["channel", POOL, a],
    ["channel", POOL, a, "explode"],
    ["channel", POOL, a, "weight"],
    ["channel", POOL, a, "weight", "257"],
    ["channel", POOL, a, "drain", "1"],
    ["channel", `${POOL}\nreset`, a, "drain"],
    ["channel", POOL, `${a} drain`, "drain"],
    ["pools", "a b"],
    ["top", "none"],
    ["status", "-o", "xml"],
    ["status", "--socket", "x".repeat(200)],
  ]) {
    const { exitCode, stderr } = await evener(...args, at);
    assert.equal(exitCode, 64, `${args.join(" ")}: ${stderr}`);
    assert.notEqual(stderr, "");
  }
  assert.deepEqual(
    (await balance.channels(POOL)).map((channel) => channel.state),
    ["up", "up"],
  );
});

test("status 69: no socket, nobody behind it, or an end without an answer; the message names the path", async (t) => {
  const { balance } = await serve(t);
  const nowhere = await evener("status", "--run-dir", balance.dir);
  assert.equal(nowhere.exitCode, 69);
  assert.match(nowhere.stderr, new RegExp(`there is no control socket ${balance.dir}/control.sock`));
  const path = join(balance.dir, "mute.sock");
  const mute = createServer((socket) => socket.end());
  await new Promise<void>((done) => mute.listen(path, done));
  const ended = await evener("pools", "--socket", path);
  mute.close();
  assert.equal(ended.exitCode, 69);
  assert.match(ended.stderr, new RegExp(path));
});

test("it works with a Balance that was started by its arguments", async (t) => {
  const a = await named(t, "a");
  const instance = await startByHand(t, [], [a.address], ["-b", "127.0.0.1"]);
  const { err } = await runBalance(["-b", "127.0.0.1", "-d", "-c", "version", String(instance.port)]);
  const socket = /control socket (\S+)/.exec(err)?.[1] ?? "";
  const { exitCode, stdout, stderr } = await evener(
    "channel",
    "cli",
    a.address,
    "disable",
    "--socket",
    socket,
  );
  assert.equal(exitCode, 0, stderr);
  assert.equal(rows(stdout)[0]?.STATE, "disabled");
  assert.equal((await instance.row(0, 0)).state, "dis");
  await evener("channel", "cli", a.address, "enable", "--socket", socket);
  assert.equal((await instance.row(0, 0)).state, "ena");
});
