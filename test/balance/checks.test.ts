// SPDX-License-Identifier: Apache-2.0
// Active checks: what they ask, what they conclude, and the process that makes them.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type RequestBackend, startBackend, text } from "./http-lib/backend.ts";
import { get } from "./http-lib/raw-client.ts";
import { alive, type Balance, start } from "./lib/balance.ts";
import { connect, freePort, named, readAll } from "./lib/net.ts";
import { until } from "./lib/until.ts";

const QUICK = "check-interval=0.1 check-timeout=0.5";

async function states(b: Balance, pool = "p"): Promise<string[]> {
  return (await b.channels(pool)).map((c) => c.state);
}

async function reaches(b: Balance, wanted: string[], pool = "p"): Promise<void> {
  await until(`the channels are ${wanted}`, async () => `${await states(b, pool)}` === `${wanted}`);
}

async function checker(b: Balance): Promise<number> {
  return (await b.status()).checker?.pid ?? 0;
}

interface Ailing extends RequestBackend {
  answer: string | undefined;
}

/** Answers `/` with its name and anything else with what it is told. */
async function ailing(t: TestContext, name: string): Promise<Ailing> {
  const me: Ailing = Object.assign(
    await startBackend(t, (request) => (request.line.includes(" / ") ? text(name) : me.answer)),
    { answer: text("fine") },
  );
  return me;
}

async function asks(port: number): Promise<string> {
  const socket = connect(undefined, port);
  socket.write(get("/", "a.example", "Connection: close\r\n"));
  const answer = await readAll(socket);
  socket.destroy();
  return answer.split("\r\n\r\n")[1] ?? "";
}

test("check=tcp: a port that closes is down without a client's help, and up when it is open again", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port}
     pool p check=tcp ${QUICK} rise=2 fall=2 ${a.address} ${b.address}
     route l * p`,
  );
  assert.deepEqual(await states(balance), ["up", "up"]);
  await a.close();
  await reaches(balance, ["down", "up"]);
  assert.equal((await balance.channels("p"))[0]?.failed, 0);
  await named(t, "a again", a.port);
  await reaches(balance, ["up", "up"]);
  await balance.logged(/pool p: 127\.0\.0\.1:\d+: down: Connection refused/);
  await balance.logged(/pool p: 127\.0\.0\.1:\d+: up/);
});

test("check=http: the path is asked for as configured, and only 2xx and 3xx will do", async (t) => {
  const pods = [await ailing(t, "a"), await ailing(t, "b")];
  const [a] = pods as [(typeof pods)[0]];
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port} table=main
     pool p check=http,/ready?full=1,health.example:8080 ${QUICK} rise=2 fall=2 ${pods.map((p) => p.channel).join(" ")}
     default main p`,
  );
  await until("a check has come", () => a.requests.length > 0);
  assert.equal(
    a.requests[0]?.raw.toString(),
    "GET /ready?full=1 HTTP/1.1\r\nHost: health.example:8080\r\nUser-Agent: balance-check\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  );
  const redirect = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
  const interim = `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${text("fine")}`;
  const bad: [string | undefined, string][] = [
    ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "HTTP status 503"],
    ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP status 404"],
    ["220 mail.example ESMTP\r\n", "no HTTP answer"],
    [undefined, "(Connection|Operation) timed out"],
  ];
  const good = [redirect, interim, text("fine"), text("f".repeat(200_000))];
  for (const [i, [answer, reason]] of bad.entries()) {
    balance.log = "";
    a.answer = answer;
    await reaches(balance, ["down", "up"]);
    await balance.logged(new RegExp(`pool p: ${a.channel}: down: ${reason}\n`));
    for (let n = 0; n < 4; n++) assert.equal(await asks(port), "b");
    a.answer = good[i] as string;
    await reaches(balance, ["up", "up"]);
  }
  const served = [await asks(port), await asks(port), await asks(port), await asks(port)];
  assert.deepEqual(served.toSorted(), ["a", "a", "b", "b"]);
});

test("when every channel is down, all of them are tried all the same", async (t) => {
  const pods = [await ailing(t, "a"), await ailing(t, "b")];
  for (const pod of pods) pod.answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
  const port = await freePort();
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port} table=main
     pool p check=http,/ready ${QUICK} fall=1 ${pods.map((p) => p.channel).join(" ")}
     default main p`,
  );
  await reaches(balance, ["down", "down"]);
  const served = [await asks(port), await asks(port), await asks(port), await asks(port)];
  assert.ok(served.includes("a") && served.includes("b"), String(served));
});

test("a reload keeps what is known, and a pool that asks for nothing forgets", async (t) => {
  const pods = [await ailing(t, "a"), await ailing(t, "b")];
  const [a] = pods as [(typeof pods)[0]];
  const port = await freePort();
  const channels = pods.map((p) => p.channel).join(" ");
  const conf = (options: string, more = "") =>
    `listen l tcp:127.0.0.1:${port} table=main\npool p ${options} ${channels}\n${more}\ndefault main p`;
  const checked = `check=http,/ready ${QUICK} rise=2 fall=1`;
  a.answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
  const balance = await start(t, conf(checked));
  await reaches(balance, ["down", "up"]);
  const pid = await checker(balance);
  // The process takes the configuration as the workers do, and stays.
  for (let i = 0; i < 5; i++) {
    assert.equal((await balance.reload(conf(checked, `pool q${i} ${checked} ${channels}`))).ok, true);
    assert.deepEqual(await states(balance), ["down", "up"]);
  }
  assert.equal(await checker(balance), pid);
  await reaches(balance, ["down", "up"], "q4");
  // Without checks there is no such process, and nothing that it knew counts.
  assert.equal((await balance.reload(conf(""))).ok, true);
  assert.deepEqual(await states(balance), ["up", "up"]);
  await until("the checker ends", () => !alive(pid));
  assert.equal((await balance.status()).checker, undefined);
  assert.doesNotMatch(balance.log, /checker .*ended/);
  // And it comes with the first pool that asks.
  assert.equal((await balance.reload(conf(checked))).ok, true);
  await reaches(balance, ["down", "up"]);
});

test("a checker that is killed is replaced, and nothing changes meanwhile", async (t) => {
  const pods = [await ailing(t, "a"), await ailing(t, "b")];
  const [a] = pods as [(typeof pods)[0]];
  const port = await freePort();
  a.answer = undefined;
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port} table=main
     pool p check=http,/ready ${QUICK} fall=1 rise=2 ${pods.map((p) => p.channel).join(" ")}
     default main p`,
  );
  await reaches(balance, ["down", "up"]);
  const workers = await balance.workers();
  for (let i = 0; i < 2; i++) {
    const pid = await checker(balance);
    process.kill(pid, "SIGKILL");
    await until("another takes its place", async () => {
      assert.deepEqual(await states(balance), ["down", "up"]);
      const now = await checker(balance);
      return now !== 0 && now !== pid;
    });
  }
  assert.equal((await balance.status()).checker?.restarts, 2);
  await balance.logged(/checker \(pid \d+\) ended: signal 9/);
  a.answer = text("fine");
  await reaches(balance, ["up", "up"]);
  assert.deepEqual(await balance.workers(), workers);
  // It never outlives the master.
  const pid = await checker(balance);
  balance.kill("SIGKILL");
  await until("it ends with the master", () => !alive(pid));
});

test("hundreds of dead channels keep no other from being checked", async (t) => {
  const pod = await ailing(t, "a");
  const port = await freePort();
  // Addresses of the loopback network that nobody listens on.
  const dead = Array.from({ length: 500 }, (_, i) => `127.9.${i >> 8}.${i & 255}:9`);
  const balance = await start(
    t,
    `listen l tcp:127.0.0.1:${port} table=main
     pool p check=http,/ready ${QUICK} fall=2 ${dead.join(" ")} ${pod.channel}
     default main p`,
  );
  await until(
    "all of them are down",
    async () => (await states(balance)).filter((s) => s === "down").length === 500,
  );
  assert.equal((await states(balance)).at(-1), "up");
  // The log names some and counts the rest.
  assert.ok((balance.log.match(/: down: /g) ?? []).length < 400);
  for (let i = 0; i < 4; i++) assert.equal(await asks(port), "a");
});
