// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { alive, Balance, endWith, start } from "./lib/balance.ts";
import { connect, exchange, freePort, named, readAll, readLine } from "./lib/net.ts";
import { until } from "./lib/until.ts";

async function run(
  args: string[],
  file?: string,
): Promise<{ code: number | null; out: string; log: string }> {
  const balance = new Balance();
  if (file !== undefined) writeFileSync(balance.file, file);
  const child = balance.spawn(args.map((arg) => (arg === "FILE" ? balance.file : arg)));
  let out = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  const log = balance.log;
  await balance.stop();
  return { code, out, log };
}

test("the command line: exit codes of sysexits.h", async () => {
  const good = "listen l tcp:127.0.0.1:1\n";
  assert.equal((await run(["--config", "FILE", "--test"], good)).code, 0);
  const refused = await run(["--config", "FILE", "--test"], `${good}bogus\n`);
  assert.equal(refused.code, 78);
  assert.match(refused.log, /balance\.conf:2: unknown directive "bogus"/);
  assert.equal((await run(["--config", "/does/not/exist", "--test"])).code, 78);
  assert.equal((await run(["--config", "/", "--test"])).code, 78);
  assert.equal((await run(["--config", "FILE"], "bogus\n")).code, 78);
  const help = await run(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /usage: balance/);
  assert.match((await run(["--version"])).out, /^balance \d/);
  for (const args of [[], ["--bogus"], ["--config"], ["--config", "FILE", "more"], ["--test"]]) {
    const wrong = await run(args, good);
    assert.equal(wrong.code, 64, args.join(" "));
    assert.match(wrong.log, /usage: balance/);
  }
});

test("a killed worker takes only its own connections along and is replaced", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const balance = await start(
    t,
    `workers 3
     listen l tcp:127.0.0.1:${port}
     pool p ${a.address}:100
     route l * p`,
  );
  const sockets = Array.from({ length: 60 }, () => connect(t, port));
  await Promise.all(sockets.map((socket) => readLine(socket)));
  const { workers } = await balance.status();
  assert.equal(
    workers.reduce((sum, w) => sum + w.connections, 0),
    60,
  );
  const victim = workers.reduce((most, w) => (w.connections > most.connections ? w : most));
  assert.ok(victim.connections > 0);
  await sleep(1100); // old enough to be replaced at once
  process.kill(victim.pid, "SIGKILL");
  await until("it is replaced", async () => {
    const now = (await balance.status()).workers;
    return now.every((w) => w.pid > 0 && w.pid !== victim.pid) && now.some((w) => w.restarts === 1);
  });
  const answers = await Promise.all(
    sockets.map(async (socket) => {
      socket.write("alive?\n");
      return readLine(socket).catch(() => "dead");
    }),
  );
  const survivors = answers.filter((answer) => answer === "alive?").length;
  assert.equal(survivors, 60 - victim.connections);
  const after = await balance.status();
  assert.deepEqual(
    after.workers.filter((w) => w.pid !== victim.pid).reduce((sum, w) => sum + w.connections, 0),
    survivors,
  );
  assert.equal((await balance.channels("p"))[0]?.active, survivors);
  assert.equal((await balance.channels("p"))[0]?.total, 60);
  for (let i = 0; i < 12; i++) assert.equal(await exchange(port, "x"), "a\nx");
  for (const socket of sockets) socket.destroy();
  await until("nothing is left", async () => (await balance.channels("p"))[0]?.active === 0);
});

test("workers outlive a killed master for their connections, and a new master starts at once", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const unix = path.join("/tmp", `balance-master-${process.pid}.sock`);
  const balance = await start(
    t,
    `workers 2
     grace 20
     listen l tcp:127.0.0.1:${port}
     listen u unix:${unix}
     pool p ${a.address}
     route l * p
     route u * p`,
  );
  const sockets = [connect(t, port), connect(t, port), connect(t, unix)];
  await Promise.all(sockets.map((socket) => readLine(socket)));
  const old = await balance.workers();
  balance.kill("SIGKILL");
  await balance.ended();
  balance.spawn();
  await balance.started();
  assert.equal(await exchange(port, "x"), "a\nx");
  assert.equal(await exchange(unix, "x"), "a\nx");
  for (const socket of sockets) {
    socket.write("still\n");
    assert.equal(await readLine(socket), "still");
    socket.end();
    await readAll(socket);
  }
  await until("the old workers leave", () => old.every((pid) => !alive(pid)));
  assert.equal(await exchange(unix, "x"), "a\nx");
});

test("SIGTERM: accepting stops, connections finish, then exit 0", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const unix = path.join("/tmp", `balance-term-${process.pid}.sock`);
  const balance = await start(
    t,
    `workers 2
     grace 20
     listen l tcp:127.0.0.1:${port}
     listen u unix:${unix}
     pool p ${a.address}
     route l * p
     route u * p`,
  );
  const socket = connect(t, port);
  await readLine(socket);
  balance.kill("SIGTERM");
  await until("it drains", async () => (await balance.status()).draining);
  await until(
    "it refuses",
    () =>
      new Promise<boolean>((done) =>
        connect(t, port)
          .once("connect", () => done(false))
          .once("error", () => done(true)),
      ),
  );
  assert.equal(existsSync(unix), false);
  assert.match(String((await balance.reload()).error), /draining/);
  socket.write("on\n");
  assert.equal(await readLine(socket), "on");
  assert.equal(balance.child.exitCode, null);
  socket.end();
  await readAll(socket);
  assert.equal(await balance.ended(), 0);
  assert.equal(existsSync(balance.control), false);
});

test("a successor that starts while the old one drains keeps its sockets when that ends", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const unix = path.join("/tmp", `balance-successor-${process.pid}.sock`);
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}\nlisten u unix:${unix}\npool p ${a.address}\nroute l * p\nroute u * p`,
  );
  const old = balance.child;
  t.after(() => old.kill("SIGKILL"));
  const socket = connect(t, port);
  await readLine(socket);
  balance.kill("SIGTERM");
  await until("it drains", async () => (await balance.status()).draining);
  const successor = balance.spawn();
  await until("the successor answers", async () => (await balance.status()).pid === successor.pid);
  socket.end();
  await readAll(socket);
  await until("the old one ends", () => old.exitCode === 0);
  assert.equal((await balance.status()).pid, successor.pid);
  assert.equal(await exchange(unix, "x"), "a\nx");
});

test("SIGTERM: the grace ends, and a second SIGTERM ends at once", async (t) => {
  const a = await named(t, "a");
  for (const [grace, second] of [
    [0.5, false],
    [600, true],
  ] as const) {
    const port = await freePort();
    const balance = await start(
      t,
      `grace ${grace}\nlisten l tcp:127.0.0.1:${port}\npool p ${a.address}\nroute l * p`,
    );
    const workers = await balance.workers();
    const socket = connect(t, port);
    await readLine(socket);
    balance.kill("SIGTERM");
    if (second) {
      await until("it drains", async () => (await balance.status()).draining);
      balance.kill("SIGTERM");
    }
    await readAll(socket);
    assert.equal(await balance.ended(), 0);
    assert.ok(workers.every((pid) => !alive(pid)));
  }
});

test("SIGHUP reloads; an address in use at start is refused in the end", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const conf = `listen l tcp:127.0.0.1:${port}\npool p ${a.address}\nroute l * p`;
  const balance = await start(t, conf);
  balance.kill("SIGHUP");
  await until("generation 2", async () => (await balance.status()).generation === 2);
  const other = new Balance();
  endWith(t, other);
  other.write(conf);
  other.spawn();
  assert.equal(await other.ended(), 78);
  assert.match(other.log, /bind: Address already in use/);
});
