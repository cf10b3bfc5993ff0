// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./lib/balance.ts";
import { connect, exchange, freePort, named, readAll, readLine } from "./lib/net.ts";
import { proxyV1, proxyV2 } from "./lib/proxy.ts";
import { until } from "./lib/until.ts";

test("the SNI of the PROXY header picks the pool: exact, one label, default, none", async (t) => {
  const [a, b, c] = [await named(t, "a"), await named(t, "b"), await named(t, "c")];
  const [one, two] = [await freePort(), await freePort()];
  const balance = await start(
    t,
    `workers 2
     listen one tcp:127.0.0.1:${one} proxy=v2
     listen two tcp:127.0.0.1:${two} proxy=any
     pool a ${a.address}
     pool b ${b.address}
     pool c ${c.address}
     pool empty
     route one a.example a
     route one *.b.example b
     route one * c
     route two a.example a
     route two void.example empty`,
  );
  const ask = async (port: number, sni?: string): Promise<string> => exchange(port, proxyV2(sni), "x");
  assert.equal(await ask(one, "a.example"), "a\nx");
  assert.equal(await ask(one, "A.EXAMPLE"), "a\nx");
  assert.equal(await ask(one, "x.b.example"), "b\nx");
  assert.equal(await ask(one, "y.x.b.example"), "c\nx");
  assert.equal(await ask(one, "b.example"), "c\nx");
  assert.equal(await ask(one, "else.example"), "c\nx");
  assert.equal(await ask(one), "c\nx");
  assert.equal(await ask(one, "\0\xff"), "c\nx");
  assert.equal(await ask(two, "a.example"), "a\nx");
  assert.equal(await ask(two, "x.b.example"), "");
  assert.equal(await ask(two, "void.example"), "");
  assert.equal(await exchange(two, proxyV1(), "x"), "");
  await until("counters", async () => (await balance.listener("two")).active === 0);
  const counted = await balance.listener("two");
  assert.deepEqual(
    [counted.accepted, counted.no_route, counted.no_channel, counted.proxy_errors],
    [4, 2, 1, 0],
  );
  assert.equal((await balance.listener("one")).no_route, 0);
});

test("Unix listener, PROXY v1, and a header in pieces with the first bytes behind it", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const dir = path.join("/tmp", `bal-${process.pid}-${port}.sock`);
  const balance = await start(
    t,
    `listen u unix:${dir} proxy=v2
     listen v1 tcp:127.0.0.1:${port} proxy=v1
     pool a ${a.address}
     route u a.example a
     route v1 * a`,
  );
  assert.equal(await exchange(port, proxyV1(), "hello"), "a\nhello");
  assert.equal(await exchange(port, proxyV2("a.example"), "hello"), "");
  const bytes = Buffer.concat([proxyV2("a.example"), Buffer.from("body")]);
  const socket = connect(t, dir);
  for (const byte of bytes) {
    socket.write(Buffer.from([byte]));
    await sleep(1);
  }
  assert.equal(await readLine(socket), "a");
  socket.end();
  assert.equal(await readAll(socket), "body");
  await until("error counted", async () => (await balance.listener("v1")).proxy_errors === 1);
});

test("a missing, broken or slow PROXY header closes the connection and is counted", async (t) => {
  const a = await named(t, "a");
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port} proxy=v2
     pool a ${a.address}
     route l * a`,
  );
  const slow = connect(t, port);
  slow.write(proxyV2("a.example").subarray(0, 20));
  const sneaky = connect(t, port); // keeps sending a byte now and then
  const trickle = setInterval(() => sneaky.write("\r"), 200);
  t.after(() => clearInterval(trickle));
  const broken = [
    "GET / HTTP/1.1\r\n\r\n",
    proxyV1(),
    Buffer.from("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", "latin1"),
    Buffer.concat([proxyV2().subarray(0, 14), Buffer.from([0xff, 0xff])]),
    proxyV2().subarray(0, 27), // cut by the client's end
  ];
  for (const bytes of broken) assert.equal(await exchange(port, bytes), "");
  await exchange(port); // says nothing at all: a port check, not an error
  // The sneaky client is found out at its second byte, which no header has.
  await until("errors counted", async () => (await balance.listener("l")).proxy_errors === broken.length + 1);
  await until("only the slow one is left", async () => (await balance.listener("l")).active === 1);
  assert.equal(await exchange(port, proxyV2(), "fine"), "a\nfine");
  assert.equal(await readAll(slow), ""); // within ten seconds and a bit
  assert.equal((await balance.listener("l")).active, 0);
  assert.equal(a.accepted, 1);
});

test("IPv6 pods and listeners; [::] takes IPv4 unless told otherwise", async (t) => {
  const a = await named(t, "a");
  const [dual, only] = [await freePort(), await freePort()];
  await start(
    t,
    `listen dual tcp:[::]:${dual}
     listen only tcp:[::1]:${only} v6only
     pool a ${a.address}
     route dual * a
     route only * a`,
  );
  assert.equal(await exchange(dual, "x"), "a\nx");
  await assert.rejects(async () => {
    const socket = connect(t, only);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  });
});
