// SPDX-License-Identifier: Apache-2.0
// Answers of Balance's own: redirects, refusals by address, size and time; and paths that are rewritten.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { text } from "./http-lib/backend.ts";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { startLane, startNamed, startSingle } from "./http-lib/lane.ts";
import { proxyV2 } from "./http-lib/proxy-header.ts";
import { fetchRaw, get, RawClient } from "./http-lib/raw-client.ts";
import { until } from "./lib/until.ts";

suite("answers of the HTTP lane's own", { skip: skipWithoutBalance() }, () => {
  test("ssl-redirect: 308 with path and query, never for ACME, nor over TLS", async (t) => {
    const { port, pod } = await startSingle(t, undefined, {
      rule: "ssl-redirect",
      before: "trust 127.0.0.2/32 203.0.113.0/24",
      listener: "proxy=v2",
    });
    const ask = (path: string, facts = {}, host = "a.example", extra = "") =>
      fetchRaw(port, Buffer.concat([proxyV2(facts), Buffer.from(get(path, host, extra))]));
    const redirected = await ask("/x/../y?q=1&r=//z", {}, "A.example:8080");
    assert.equal(redirected.status, 308);
    assert.match(redirected.fields.get("location") ?? "", /^https:\/\/a\.example\/x\/\.\.\/y\?q=1&r=\/\/z$/i);
    assert.equal((await ask("http://a.example/p?q")).fields.get("location"), "https://a.example/p?q");
    assert.equal(
      (await ask("/", { client: "192.0.2.1" }, "a.example", "X-Forwarded-Proto: https\r\n")).status,
      308,
    );
    assert.equal(pod.requests.length, 0);
    assert.equal((await ask("/.well-known/acme-challenge/token")).status, 200);
    assert.equal((await ask("/.well-known/acme-challenge/../../x")).status, 308);
    assert.equal((await ask("/x", { tls: true, sni: "a.example" })).status, 200);
    const front = await ask("/", { client: "203.0.113.9" }, "a.example", "X-Forwarded-Proto: https\r\n");
    assert.equal(front.status, 200, "a trusted peer has ended TLS");
  });

  test("ssl-redirect names a port that is not 443", async (t) => {
    const { port } = await startSingle(t, undefined, {
      rule: "ssl-redirect",
      before: "http https-port=8443",
    });
    const answer = await fetchRaw(port, get("/x", "a.example:8080"));
    assert.equal(answer.fields.get("location"), "https://a.example:8443/x");
  });

  test("a redirect keeps the connection; what can't be in a Location isn't", async (t) => {
    const { port } = await startSingle(t, undefined, "ssl-redirect");
    const client = await RawClient.open(port);
    for (let i = 0; i < 3; i++) {
      const answer = await client.request(get(`/${i}%0d%0aSet-Cookie:x`));
      assert.equal(answer.fields.get("location"), `https://a.example/${i}%0d%0aSet-Cookie:x`);
      assert.equal(answer.fields.has("set-cookie"), false);
    }
    const head = await client.request(get("/", "a.example", "", "HEAD"), "HEAD");
    assert.equal(head.status, 308);
    assert.equal((await client.request(get("/"))).status, 308, "no body behind the answer to HEAD");
    client.close();
  });

  test("redirect=CODE,LOCATION", async (t) => {
    const codes = [301, 302, 303, 307, 308];
    const rules = codes.map(
      (code) => `rule main a.example prefix /${code} - redirect=${code},https://b.example/x?y#z\n`,
    );
    const lane = await startLane(t, rules.join(""));
    for (const code of codes) {
      const answer = await lane.get(`/${code}/more`);
      assert.equal(answer.status, code);
      assert.equal(answer.fields.get("location"), "https://b.example/x?y#z");
    }
  });

  test("rewrite puts a path in place of the matched one", async (t) => {
    const pools = await startNamed(t, ["p"]);
    const lane = await startLane(
      t,
      `${pools}rule main a.example prefix /old p rewrite=/new\nrule main b.example prefix /old p rewrite=/\n` +
        "rule main c.example prefix / p rewrite=/base/\nrule main d.example exact /one p rewrite=/two\n",
    );
    const rows = [
      ["a.example", "/old", "/new"],
      ["a.example", "/old/", "/new/"],
      ["a.example", "/old/x?q=/old", "/new/x?q=/old"],
      ["a.example", "/%6fld/x", "/new/x"],
      ["a.example", "/z/../old/x", "/new/x"],
      ["b.example", "/old/x", "/x"],
      ["b.example", "/old", "/"],
      ["c.example", "/x", "/base/x"],
      ["d.example", "/one?x", "/two?x"],
    ] as const;
    for (const [host, path, want] of rows) {
      const answer = await lane.get(path, host);
      assert.equal(answer.fields.get("x-line"), `GET ${want} HTTP/1.1`, `${host}${path}`);
    }
  });

  test("allow and deny go by the client's address", async (t) => {
    const pools = await startNamed(t, ["p"]);
    const lane = await startLane(
      t,
      `${pools}rule main a.example prefix / p allow=192.0.2.0/24,2001:db8::/32\n` +
        "rule main b.example prefix / p deny=192.0.2.0/25\nrule main c.example prefix / p allow=192.0.2.0/24 deny=192.0.2.7/32\n",
      { listener: "proxy=v2" },
    );
    const status = async (host: string, client: string) =>
      (await fetchRaw(lane.port, Buffer.concat([proxyV2({ client }), Buffer.from(get("/", host))]))).status;
    assert.equal(await status("a.example", "192.0.2.200"), 200);
    assert.equal(await status("a.example", "192.0.3.1"), 403);
    assert.equal(await status("b.example", "192.0.2.127"), 403);
    assert.equal(await status("b.example", "192.0.2.128"), 200);
    assert.equal(await status("c.example", "192.0.2.7"), 403);
    assert.equal(await status("c.example", "192.0.2.8"), 200);
  });

  test("limit-conn counts a client's requests over all workers", async (t) => {
    let waiting: (() => void)[] = [];
    const { port } = await startSingle(
      t,
      (_request, socket) => {
        waiting.push(() => socket.write(text("ok")));
        return undefined;
      },
      { rule: "limit-conn=3", workers: 3 },
    );
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.open(port)));
      let refused = 0;
      const answers = clients.map(async (client) => {
        const { status } = await client.request(get("/"));
        refused += status === 503 ? 1 : 0;
        return status;
      });
      await until("all are let in or refused", () => refused + waiting.length === 10);
      // Never more; fewer only when several ask in the same instant and give way to each other.
      assert.ok(waiting.length >= 1 && waiting.length <= 3, `${waiting.length} of 3`);
      for (const go of waiting) go();
      waiting = [];
      assert.equal((await Promise.all(answers)).filter((s) => s === 200).length, 10 - refused);
      for (const client of clients) client.close();
    }
  });

  test("a place is free again when its client leaves", async (t) => {
    const { port, pod } = await startSingle(t, () => undefined, { rule: "limit-conn=1" });
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.open(port);
      await until("let in", () => {
        // The worker may not have seen yet that the one before has left.
        if (client.pending.length > 0 || i === pod.requests.length) {
          client.pending = Buffer.alloc(0);
          client.send(get(`/${i}`));
        }
        return pod.requests.length > i;
      });
      client.socket.resetAndDestroy();
    }
  });

  test("413, 414 and 431 end the connection; nothing reaches the pod", async (t) => {
    const { port, pod } = await startSingle(t, undefined, "max-body=10");
    const hidden = get("/hidden");
    const rows: [number, string][] = [
      [413, `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`],
      [
        413,
        `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}`,
      ],
      [414, get(`/${"x".repeat(9000)}`) + hidden],
      [431, get("/", "a.example", `X: ${"x".repeat(30_000)}\r\n`) + hidden],
    ];
    for (const [status, bytes] of rows) {
      const client = await RawClient.open(port);
      assert.equal((await client.request(bytes)).status, status);
      assert.ok(await client.ends());
      assert.equal(client.pending.length, 0);
      client.close();
    }
    assert.equal(pod.received().length, 0);
    const exact = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n0123456789";
    assert.equal((await fetchRaw(port, exact)).status, 200);
  });

  test("a chunked body that grows too long is cut off, and what is left of it is no request", async (t) => {
    const { port, pod } = await startSingle(t, undefined, "max-body=100");
    const client = await RawClient.open(port);
    client.send("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n");
    while (pod.received().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // From here a reader that forgot the body would see a request.
    client.send(`${get("/hidden").padEnd(0x40, "x").slice(0, 0x40)}\r\n`);
    client.send(`${"20\r\n"}${"y".repeat(32)}\r\n`.repeat(4));
    client.send("0\r\n\r\n");
    assert.equal((await client.answer()).status, 413);
    // Whether the connection goes on is open; what it is told next must be what counts.
    client.send(get("/next"));
    await client.tryAnswer("GET", 1000);
    assert.ok(pod.requests.every((r) => r.line === "GET /next HTTP/1.1"));
    assert.equal(client.pending.length, 0);
    client.close();
  });

  test("408 for a head or a body that does not come; idle connections just end", async (t) => {
    const { port, pod } = await startSingle(t, undefined, {
      before: "http head-timeout=0.5 idle-timeout=0.5 body-timeout=0.5",
    });
    const head = await RawClient.open(port);
    head.send("GET / HT");
    const body = await RawClient.open(port);
    body.send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhalf");
    const idle = await RawClient.open(port);
    const used = await RawClient.open(port);
    assert.equal((await used.request(get("/"))).status, 200);
    for (const [client, status] of [
      [head, 408],
      [body, 408],
    ] as const) {
      const answer = await client.answer();
      assert.equal(answer.status, status);
      assert.equal(answer.fields.get("connection"), "close");
      assert.ok(await client.ends());
    }
    for (const client of [idle, used]) {
      assert.ok(await client.ends());
      assert.equal(client.pending.length, 0);
    }
    assert.equal(pod.requests.length, 1);
    for (const client of [head, body, idle, used]) client.close();
  });
});
