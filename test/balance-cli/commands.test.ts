// SPDX-License-Identifier: Apache-2.0
// Interactive control. What a case is named after: lib/balance.ts.
import assert from "node:assert/strict";
import test from "node:test";
import { freePort, named } from "../balance/lib/net.ts";
import { until } from "../balance/lib/until.ts";
import { hold, nobody, rows, run, start } from "./lib/balance.ts";

test("manual: show lists every channel, sorted by group, with its state and limits", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, `${b.address}:7`, "%", a.address]);
  const { code, out } = await balance.command("show");
  assert.equal(code, 0);
  assert.match(out, /GRP\s+Type\s+#\s+S\s+ip-address\s+port\s+c\s+totalc\s+maxc\s+sent\s+rcvd/);
  assert.deepEqual(
    rows(out).map((r) => [r.group, r.type, r.channel, r.state, r.address, r.port, r.max]),
    [
      [0, "hash", 0, "ena", "127.0.0.1", a.port, 0],
      [0, "hash", 1, "ena", "127.0.0.1", b.port, 7],
      [1, "rr", 0, "ena", "127.0.0.1", a.port, 0],
    ],
  );
});

test("manual: show counts current and all connections, and bytes in both directions", async (t) => {
  const a = await named(t, "a"); // says "a\n" and echoes
  const balance = await start(t, [], [a.address]);
  assert.equal(await balance.ask(), "a");
  const held = await hold(t, balance.port);
  held.socket.write("12345");
  await until("all is counted", async () => {
    const row = await balance.row(0, 0);
    const bytes = [row.sent, row.received].sort((x, y) => x - y);
    return row.current === 1 && row.total === 2 && bytes[0] === 5 && bytes[1] === 9;
  });
  held.socket.destroy();
  await until("it has left", async () => (await balance.row(0, 0)).current === 0);
});

test("manual: disable and enable take a channel of the current group out and back in", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, b.address]);
  await balance.command("disable 0");
  assert.equal((await balance.row(0, 0)).state, "dis");
  for (let i = 0; i < 4; i++) assert.equal(await balance.ask(), "b");
  await balance.command("enable 0");
  assert.equal((await balance.row(0, 0)).state, "ena");
  const seen = new Set([await balance.ask(), await balance.ask()]);
  assert.deepEqual([...seen].sort(), ["a", "b"]);
});

test("manual: disabling a channel keeps it from being offered, so the connections it has go on", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  const { socket } = await hold(t, balance.port);
  await balance.command("disable 0");
  let got = "";
  socket.on("data", (chunk) => {
    got += chunk;
  });
  socket.resume();
  socket.write("still here");
  await until("it is answered", () => got === "still here");
  assert.equal(await balance.ask(), "");
});

test("manual: group changes the group that the commands after it are for", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, "!", b.address]);
  const { code } = await balance.interactive("group 1", "disable 0", "quit");
  assert.equal(code, 0);
  const shown = await balance.show();
  assert.deepEqual(
    shown.map((r) => r.state),
    ["ena", "dis"],
  );
});

test("manual: create adds a channel to the current group", async (t) => {
  const [a, b, c] = [await named(t, "a"), await named(t, "b"), await named(t, "c")];
  const balance = await start(t, [], [a.address]);
  await balance.interactive(
    `create 127.0.0.1 ${b.port}`,
    "enable 1",
    "group 1",
    `create localhost ${c.port}`,
    "enable 0",
    "quit",
  );
  assert.deepEqual(
    (await balance.show()).map((r) => [r.group, r.channel, r.state, r.port]),
    [
      [0, 0, "ena", a.port],
      [0, 1, "ena", b.port],
      [1, 0, "ena", c.port],
    ],
  );
  const seen = new Set([await balance.ask(), await balance.ask()]);
  assert.deepEqual([...seen].sort(), ["a", "b"]);
  await a.close();
  await b.close();
  assert.equal(await balance.ask(), "c");
});

test("manual: assign gives a channel another host and port, but only while it is disabled", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address]);
  await balance.command(`assign 0 127.0.0.1 ${b.port}`);
  assert.equal((await balance.row(0, 0)).port, a.port);
  await balance.command("disable 0");
  await balance.command(`assign 0 127.0.0.1 ${b.port}`);
  assert.equal((await balance.row(0, 0)).port, b.port);
  assert.equal((await balance.row(0, 0)).state, "dis");
  await balance.command("enable 0");
  assert.equal(await balance.ask(), "b");
});

test("manual: maxc sets a channel's limit, and 0 lifts it", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  await balance.command("maxc 0 1");
  assert.equal((await balance.row(0, 0)).max, 1);
  const { said } = await hold(t, balance.port);
  assert.equal(said, "a");
  assert.equal(await balance.ask(), "");
  await balance.command("maxc 0 0");
  assert.equal(await balance.ask(), "a");
});

test("manual: hash and rr change how the current group chooses", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, b.address]);
  await balance.command("hash");
  assert.equal((await balance.row(0, 0)).type, "hash");
  const one = await balance.ask();
  for (let i = 0; i < 4; i++) assert.equal(await balance.ask(), one);
  await balance.command("rr");
  assert.equal((await balance.row(0, 0)).type, "rr");
  assert.notEqual(await balance.ask(), await balance.ask());
});

test("manual: reset sets a channel's byte counters to zero", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, b.address]);
  await balance.ask();
  await balance.ask();
  await until("both are counted", async () => (await balance.show()).every((r) => r.sent + r.received === 2));
  await balance.command("reset 0");
  const [first, second] = await balance.show();
  assert.equal((first?.sent ?? 9) + (first?.received ?? 9), 0);
  assert.equal((second?.sent ?? 0) + (second?.received ?? 0), 2);
});

test("manual: create and maxc work on a running balance, so its connections and counts go on", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address]);
  const { socket } = await hold(t, balance.port);
  await balance.command(`create 127.0.0.1 ${b.port}`);
  await balance.command("maxc 0 9");
  const row = await balance.row(0, 0);
  assert.deepEqual([row.current, row.total], [1, 1]);
  let got = "";
  socket.on("data", (chunk) => {
    got += chunk;
  });
  socket.resume();
  socket.write("same");
  await until("the connection goes on", () => got === "same");
});

test("manual: mrtg-bytes and mrtg-conns print what MRTG reads: two numbers, then lines about the target", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  await balance.ask();
  await balance.ask();
  await until(
    "both are counted",
    async () => (await balance.row(0, 0)).sent + (await balance.row(0, 0)).received === 4,
  );
  const bytes = (await balance.command("mrtg-bytes 0 0")).out.split("\n");
  assert.deepEqual(bytes.slice(0, 2).map(Number).sort(), [0, 4]);
  const conns = (await balance.command("mrtg-conns 0 0")).out.split("\n");
  assert.equal(Number(conns[0]), 2);
  assert.match(conns[1] ?? "", /^\d+$/);
});

test("manual: version prints the version and the limits", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  const { out } = await balance.command("version");
  assert.match(out, /\d+\.\d+/);
  assert.match(out, /MAXGROUPS\s*=?\s*\d+/);
  assert.match(out, /MAXCHANNELS\s*=?\s*\d+/);
});

test("manual: help and ? list the commands", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  for (const word of ["help", "?"]) {
    const { out } = await balance.interactive(word, "quit");
    for (const command of [
      "assign",
      "create",
      "disable",
      "enable",
      "group",
      "hash",
      "maxc",
      "mrtg-bytes",
      "mrtg-conns",
      "quit",
      "reset",
      "rr",
      "show",
      "shutdown",
      "version",
    ])
      assert.match(out, new RegExp(command), `${word}: ${command}`);
  }
});

test("manual: quit leaves interactive mode, and balance goes on", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  assert.equal((await balance.interactive("quit", "kill")).code, 0);
  assert.equal(await balance.ask(), "a");
});

test("convention: the end of input leaves interactive mode too", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  assert.equal((await run(["-b", "127.0.0.1", "-i", String(balance.port)])).code, 0);
  assert.equal(await balance.ask(), "a");
});

test("manual: kill ends the master process and interactive mode", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  assert.equal((await balance.interactive("kill", "show")).code, 0);
  await until("nobody serves", async () => (await balance.ask()) === "");
});

test("manual: shutdown ends the master process first, and interactive mode then", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  assert.equal((await balance.interactive("shutdown", "show")).code, 0);
  await until("nobody serves", async () => (await balance.ask()) === "");
  const { code } = await balance.command("show");
  assert.ok(code !== null && code >= 64 && code <= 78, String(code));
});

test("manual: a group whose channels are all disabled is passed over, and used again when one is enabled", async (t) => {
  const [a, b, c] = [await named(t, "a"), await named(t, "b"), await named(t, "c")];
  const balance = await start(t, [], [a.address, b.address, "!", c.address]);
  await balance.interactive("disable 0", "disable 1", "quit");
  for (let i = 0; i < 3; i++) assert.equal(await balance.ask(), "c");
  await balance.command("enable 1");
  for (let i = 0; i < 3; i++) assert.equal(await balance.ask(), "b");
});

test("manual: what -i does by hand, -c does as one command", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const balance = await start(t, [], [a.address, b.address]);
  const byHand = rows((await balance.interactive("show", "quit")).out);
  assert.deepEqual(rows((await balance.command("show")).out), byHand);
  assert.equal(byHand.length, 2);
});

test("manual: reset counts a channel's connections from zero, too", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  await balance.ask();
  await balance.ask();
  await until("both are counted", async () => (await balance.row(0, 0)).total === 2);
  await balance.command("reset 0");
  await until("they are forgotten", async () => (await balance.row(0, 0)).total === 0);
  await balance.ask();
  await until("the next one is the first", async () => (await balance.row(0, 0)).total === 1);
});

test("manual: version names the limits, and so many groups and channels there may be", async (t) => {
  const a = await named(t, "a");
  const small = await start(t, [], [a.address]);
  const { out } = await small.command("version");
  const limit = (name: string): number => Number(new RegExp(`${name}\\s*=?\\s*(\\d+)`).exec(out)?.[1]);
  // A hundred of each is more than Inlab's are compiled for, and ours has to take it.
  const groups = Math.min(100, limit("MAXGROUPS"));
  const channels = Math.min(100, limit("MAXCHANNELS"));
  const gone = await nobody();
  const many = await start(
    t,
    [],
    [
      ...Array.from({ length: channels }, () => gone),
      ...Array.from({ length: groups - 2 }, () => ["!", gone]).flat(),
      ...["!", a.address],
    ],
  );
  const shown = await many.show();
  assert.equal(shown.length, channels + groups - 1);
  assert.deepEqual([shown.at(-1)?.group, shown.at(-1)?.port], [groups - 1, a.port]);
  assert.equal(await many.ask(), "a");
});

test("manual: instances are told apart by port and bind address", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const one = await start(t, [], [a.address], ["-b", "127.0.0.1"]);
  const two = await start(t, [], [b.address, b.address], ["-b", "127.0.0.2"]);
  assert.deepEqual([(await one.show()).length, (await two.show()).length], [1, 2]);
});

test("convention: a command that is not understood changes nothing", async (t) => {
  const a = await named(t, "a");
  const balance = await start(t, [], [a.address]);
  const before = await balance.show();
  await balance.interactive(
    "bogus",
    "",
    "   ",
    "disable",
    "disable 9",
    "disable -1",
    "maxc 0",
    "maxc 0 x",
    "create",
    "create 127.0.0.1 99999",
    "group 99999999",
    "x".repeat(2000),
    "quit",
  );
  assert.deepEqual(await balance.show(), before);
  assert.equal(await balance.ask(), "a");
});

test("convention (sysexits): a port that no balance serves ends with a status from 64 to 78", async () => {
  const port = String(await freePort());
  for (const args of [
    ["-c", "show", port],
    ["-i", port],
  ]) {
    const { code } = await run(args, "quit\n");
    assert.ok(code !== null && code >= 64 && code <= 78, `${args.join(" ")}: ${code}`);
  }
});
