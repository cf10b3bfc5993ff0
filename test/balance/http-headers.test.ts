// SPDX-License-Identifier: Apache-2.0
// What the pod is told about the client: forwarding fields, request ids, certificates; and whose word is taken for it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { RequestBackend } from "./http-lib/backend.ts";
import { skipWithoutBalance } from "./http-lib/balance.ts";
import { startSingle } from "./http-lib/lane.ts";
import { type ProxyFacts, proxyV1, proxyV2 } from "./http-lib/proxy-header.ts";
import { type Answer, fetchRaw, get } from "./http-lib/raw-client.ts";

const SENT =
  "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: front.example\r\n" +
  "X-Forwarded-Port: 8443\r\nX-Real-IP: 198.51.100.1\r\nX-Request-ID: given-1\r\nForwarded: for=198.51.100.1\r\n" +
  "X-Forwarded-Prefix: /front\r\n";

const PEM = readFileSync(new URL("./http-lib/client-cert.pem", import.meta.url), "latin1");

function last(pod: RequestBackend): Map<string, string> {
  return pod.requests.at(-1)?.fields ?? new Map();
}

function over(port: number, facts: ProxyFacts, request = get("/")): Promise<Answer> {
  return fetchRaw(port, Buffer.concat([proxyV2(facts), Buffer.from(request, "latin1")]));
}

suite("what pods are told about clients", { skip: skipWithoutBalance() }, () => {
  test("an untrusted client's word is dropped", async (t) => {
    const { port, pod } = await startSingle(t, undefined, { before: "http http-port=8080" });
    await fetchRaw(port, get("/", "a.example:81", SENT));
    const fields = last(pod);
    assert.equal(fields.get("x-forwarded-for"), "127.0.0.1");
    assert.equal(fields.get("x-real-ip"), "127.0.0.1");
    assert.equal(fields.get("x-forwarded-proto"), "http");
    assert.equal(fields.get("x-forwarded-host"), "a.example:81");
    assert.equal(fields.get("x-forwarded-port"), "8080");
    assert.equal(fields.get("host"), "a.example:81");
    assert.match(fields.get("x-request-id") ?? "", /^[0-9a-f]{32}$/);
    assert.equal(fields.has("forwarded"), false);
    assert.equal(fields.has("x-forwarded-prefix"), false);
  });

  test("a trusted peer's word is kept, its address added", async (t) => {
    const { port, pod } = await startSingle(t, undefined, { before: "trust 127.0.0.0/8" });
    await fetchRaw(port, get("/", "a.example", SENT));
    const fields = last(pod);
    assert.equal(fields.get("x-forwarded-for"), "198.51.100.1, 127.0.0.1");
    assert.equal(fields.get("x-real-ip"), "198.51.100.1");
    assert.equal(fields.get("x-forwarded-proto"), "https");
    assert.equal(fields.get("x-forwarded-host"), "front.example");
    assert.equal(fields.get("x-forwarded-port"), "8443");
    assert.equal(fields.get("x-request-id"), "given-1");
    assert.equal(fields.get("forwarded"), "for=198.51.100.1");
    assert.equal(fields.get("x-forwarded-prefix"), "/front");
    await fetchRaw(port, get("/"));
    assert.equal(last(pod).get("x-forwarded-for"), "127.0.0.1");
    assert.equal(last(pod).get("x-forwarded-proto"), "http");
    await fetchRaw(port, get("/", "a.example", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"));
    assert.equal(last(pod).get("x-forwarded-for"), "1.1.1.1, 2.2.2.2, 127.0.0.1");
  });

  test("trust goes by the address that PROXY tells", async (t) => {
    const { port, pod } = await startSingle(t, undefined, {
      before: "trust 192.0.2.0/24",
      listener: "proxy=v2",
    });
    await over(port, { client: "192.0.2.9" }, get("/", "a.example", SENT));
    assert.equal(last(pod).get("x-forwarded-for"), "198.51.100.1, 192.0.2.9");
    await over(port, { client: "203.0.113.9" }, get("/", "a.example", SENT));
    assert.equal(last(pod).get("x-forwarded-for"), "203.0.113.9");
  });

  test("request ids are all different", async (t) => {
    const { port, pod } = await startSingle(t, undefined, { workers: 2 });
    await Promise.all(Array.from({ length: 200 }, (_, i) => fetchRaw(port, get(`/${i}`))));
    assert.equal(new Set(pod.requests.map((r) => r.fields.get("x-request-id"))).size, 200);
  });

  test("over TLS: proto, port and HSTS; over plain HTTP no HSTS", async (t) => {
    const { port, pod } = await startSingle(
      t,
      () => "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n",
      {
        before: "http https-port=8443",
        rule: "hsts=max-age=600;includeSubDomains",
        listener: "proxy=v2",
      },
    );
    const secure = await over(port, { tls: true, sni: "a.example" });
    assert.equal(secure.fields.get("strict-transport-security"), "max-age=600;includeSubDomains");
    assert.equal(last(pod).get("x-forwarded-proto"), "https");
    assert.equal(last(pod).get("x-forwarded-port"), "8443");
    assert.equal(last(pod).get("x-forwarded-for"), "192.0.2.7");
    const plain = await over(port, {});
    assert.equal(plain.fields.get("strict-transport-security"), "max-age=1", "the pod's own");
    assert.equal(last(pod).get("x-forwarded-proto"), "http");
  });

  test("client certificates: facts from PROXY, 421 for another host, 403 without TLS", async (t) => {
    const { port, pod } = await startSingle(t, undefined, {
      rule: "client-cert",
      listener: "proxy=v2",
    });
    const facts: ProxyFacts = { tls: true, sni: "a.example", cert: "verified", pem: PEM };
    const spoof = "ssl-client-verify: FAILED\r\nssl-client-subject-dn: CN=x\r\nssl-client-other: 1\r\n";
    assert.equal((await over(port, facts, get("/", "A.example:443", spoof))).status, 200);
    assert.equal(last(pod).get("ssl-client-verify"), "SUCCESS");
    assert.equal(last(pod).get("ssl-client-subject-dn"), "CN=client one,O=Evener tests");
    assert.equal(decodeURIComponent(last(pod).get("ssl-client-cert") ?? ""), PEM);
    assert.equal(last(pod).has("ssl-client-other"), false);
    assert.equal((await over(port, { ...facts, cert: "failed" })).status, 200);
    assert.equal(last(pod).get("ssl-client-verify"), "FAILED");
    assert.equal((await over(port, { tls: true, sni: "a.example" })).status, 200);
    assert.equal(last(pod).get("ssl-client-verify"), "NONE");
    const before = pod.requests.length;
    assert.equal((await over(port, facts, get("/", "b.example"))).status, 421);
    assert.equal((await over(port, { tls: true, cert: "verified" })).status, 421, "no SNI");
    assert.equal((await over(port, {})).status, 403);
    assert.equal(pod.requests.length, before);
  });

  test("a certificate that is none does no harm", async (t) => {
    const { port, pod } = await startSingle(t, undefined, {
      rule: "client-cert",
      listener: "proxy=v2",
    });
    for (const pem of ["", "rubbish", PEM.slice(0, 300), `${PEM.slice(0, 60)}\r\nX: y\r\n${PEM}`, "\0\xff"]) {
      const answer = await over(port, { tls: true, sni: "a.example", cert: "verified", pem });
      assert.equal(answer.status, 200);
      assert.equal(last(pod).has("x"), false);
    }
  });

  test("PROXY on the plain listener: required from trusted peers, taken from nobody else", async (t) => {
    const trusting = { before: "trust 127.0.0.1/32", listener: "proxy=any trusted-only" };
    const { port, pod } = await startSingle(t, undefined, trusting);
    await fetchRaw(port, proxyV1() + get("/"));
    assert.equal(last(pod).get("x-forwarded-for"), "192.0.2.7");
    await over(port, { client: "203.0.113.5" });
    assert.equal(last(pod).get("x-forwarded-for"), "203.0.113.5");
    await assert.rejects(fetchRaw(port, get("/")), /closed/);
    const strangers = { before: "trust 192.0.2.0/24", listener: "proxy=any trusted-only" };
    const other = await startSingle(t, undefined, strangers);
    assert.equal((await fetchRaw(other.port, get("/"))).status, 200);
    assert.equal(last(other.pod).get("x-forwarded-for"), "127.0.0.1");
    assert.equal((await fetchRaw(other.port, proxyV1() + get("/"))).status, 400);
    assert.equal((await over(other.port, {})).status, 400);
    assert.equal(other.pod.requests.length, 1);
  });
});
