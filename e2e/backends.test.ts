// SPDX-License-Identifier: Apache-2.0
/** What Ingresses, Services and policies say about pools reaches the sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { OpenConnection } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { type Manifest, makeEndpoints, makeIngress, makeService } from "./lib/manifests.ts";
import { startRawPod, startSlowPod } from "./lib/pods.ts";
import { findFreePorts } from "./lib/ports.ts";

type Annotations = Readonly<Record<string, string>>;

function annotate(object: Manifest, annotations: Annotations): Manifest {
  const ours = Object.entries(annotations).map(([name, value]) => [`evener.io/${name}`, value]);
  const metadata = object.metadata as { annotations?: object };
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...Object.fromEntries(ours) } },
  };
}

/** `NAME.example` → Service NAME with these ports of pods. */
function makeHost(name: string, ports: readonly number[], annotations: Annotations = {}): Manifest[] {
  return [
    makeService(name),
    ...makeEndpoints(name, ports),
    annotate(makeIngress(name, `${name}.example`), annotations),
  ];
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own. */
async function ask(evener: Evener, host: string, path = "/", from = "127.0.0.1"): Promise<Answer> {
  const asked = request({
    host: "127.0.0.1",
    port: evener.httpPort,
    path,
    headers: { host },
    agent: false,
    localAddress: from,
  });
  asked.end();
  const [response] = await once(asked, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body: body.trim() };
}

async function askMany(evener: Evener, host: string, count: number): Promise<string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < count; i++) bodies.push((await ask(evener, host)).body);
  return bodies;
}

const findPool = async (evener: Evener, name: string) =>
  (await evener.balance.pools()).find(({ pool }) => pool === name);

const countOf = (bodies: readonly string[], name: string) => bodies.filter((body) => body === name).length;

test("strategies: the one asked for, each in its own pool", async (t) => {
  const pods = [await startSlowPod(t, "p0"), await startSlowPod(t, "p1"), await startSlowPod(t, "p2")];
  const ports = pods.map(({ port }) => port);
  const evener = await Evener.start(t, {
    turns: makeHost("turns", ports),
    least: makeHost("least", ports, { "load-balance": "least_conn" }),
    sticky: makeHost("sticky", ports, { "upstream-hash-by": "$remote_addr" }),
    first: makeHost("first", ports, { "balance-algorithm": "first" }),
  });

  await t.test("round robin takes turns", async () => {
    const bodies = await askMany(evener, "turns.example", 12);
    for (const { name } of pods) assert.equal(countOf(bodies, name), 4, bodies.join());
  });

  await t.test("least connections leaves the busy endpoint alone", async () => {
    const held = ask(evener, "least.example", "/hold");
    const busy = await eventually("a request is held", () => pods.find((pod) => pod.held() === 1));
    const bodies = await askMany(evener, "least.example", 10);
    assert.equal(countOf(bodies, busy.name), 0, bodies.join());
    busy.release();
    assert.equal((await held).body, busy.name);
  });

  await t.test("a client's address has its endpoint, and keeps it when another endpoint leaves", async () => {
    const clients = Array.from({ length: 48 }, (_, i) => `127.0.0.${i + 10}`);
    const before = new Map<string, string>();
    for (const client of clients) {
      const { body } = await ask(evener, "sticky.example", "/", client);
      assert.equal((await ask(evener, "sticky.example", "/", client)).body, body, client);
      before.set(client, body);
    }
    assert.equal(new Set(before.values()).size, 3);
    await evener.put("sticky", makeHost("sticky", ports.slice(0, 2), { "upstream-hash-by": "$remote_addr" }));
    await eventually("the endpoint is gone", async () => {
      const pool = await findPool(evener, "default/sticky:80/source-hash");
      return pool?.groups[0]?.channels.length === 2;
    });
    for (const [client, body] of before) {
      if (body === "p2") continue;
      assert.equal((await ask(evener, "sticky.example", "/", client)).body, body, client);
    }
  });

  await t.test("first is first", async () => {
    const bodies = await askMany(evener, "first.example", 6);
    assert.equal(new Set(bodies).size, 1, bodies.join());
  });
});

test("limits: an endpoint's, with a queue, and what is more is refused", async (t) => {
  const pod = await startSlowPod(t, "p0");
  const evener = await Evener.start(t, {
    web: makeHost("web", [pod.port], { "maxconn-server": "1", queue: "1", "queue-timeout": "30" }),
    few: makeHost("few", [pod.port], { maxconn: "1" }),
  });
  const first = ask(evener, "web.example", "/hold");
  await eventually("one is held", () => pod.held() === 1);
  const second = ask(evener, "web.example", "/");
  await eventually("one waits", async () => {
    const pool = (await findPool(evener, "default/web:80/maxconn-server-1.queue-1.queue-timeout-30")) as
      | { queued?: number }
      | undefined;
    return pool?.queued === 1;
  });
  assert.equal((await ask(evener, "web.example", "/")).status, 503);
  assert.equal(pod.held(), 1);
  pod.release();
  assert.deepEqual(await first, { status: 200, body: "p0" });
  assert.deepEqual(await second, { status: 200, body: "p0" });

  const held = ask(evener, "few.example", "/hold");
  await eventually("one is held", () => pod.held() === 1);
  assert.equal((await ask(evener, "few.example")).status, 503);
  pod.release();
  assert.equal((await held).status, 200);
  assert.equal((await ask(evener, "few.example")).status, 200);
});

test("a backup Service answers while the Service can't, and no longer", async (t) => {
  const [dead = 0] = await findFreePorts(1);
  const backup = await startBackend(t, "backup");
  const web = [
    annotate(makeService("web"), { "backup-service": "spare:http" }),
    makeIngress("web", "web.example"),
  ];
  const spare = [makeService("spare"), ...makeEndpoints("spare", [backup.port])];
  const evener = await Evener.start(t, { web, endpoints: makeEndpoints("web", [dead]), spare });
  assert.deepEqual(await askMany(evener, "web.example", 4), Array(4).fill("backup"));

  await t.test("nor with no endpoint at all", async () => {
    await evener.put("endpoints", []);
    await eventually(
      "no endpoint",
      async () => (await findPool(evener, "default/web:80"))?.groups.length === 1,
    );
    assert.equal((await ask(evener, "web.example")).body, "backup");
  });

  await t.test("the Service is back", async () => {
    const pod = await startBackend(t, "web");
    await evener.put("endpoints", makeEndpoints("web", [pod.port]));
    await eventually(
      "an endpoint",
      async () => (await findPool(evener, "default/web:80"))?.groups.length === 2,
    );
    assert.deepEqual(await askMany(evener, "web.example", 4), Array(4).fill("web"));
  });
});

test("a dead endpoint is left out after some failures, unless told otherwise", async (t) => {
  const [dead = 0] = await findFreePorts(1);
  const pods = [await startBackend(t, "p0"), await startBackend(t, "p1")];
  const ports = [dead, ...pods.map(({ port }) => port)];
  const evener = await Evener.start(t, {
    out: makeHost("out", ports, { "max-fails": "2", "fail-timeout": "3600" }),
    never: makeHost("never", ports, { "max-fails": "0" }),
  });
  const failed = async (name: string) => {
    const pool = await findPool(evener, name);
    return pool?.groups[0]?.channels.find(({ channel }) => channel.endsWith(`:${dead}`))?.failed;
  };
  for (const name of ["out", "never"]) {
    for (const body of await askMany(evener, `${name}.example`, 18)) assert.match(body, /^p[01]$/);
  }
  assert.equal(await failed("default/out:80/eject-2-3600-3600"), 2);
  assert.ok(((await failed("default/never:80/eject-0-2-60")) ?? 0) >= 4);
});

test("an endpoint that fails its check gets no requests until it passes again", async (t) => {
  const pods = [await startSlowPod(t, "p0"), await startSlowPod(t, "p1")];
  const [sick, well] = pods;
  assert.ok(sick !== undefined && well !== undefined);
  sick.status = 500;
  const evener = await Evener.start(t, {
    web: makeHost(
      "web",
      pods.map(({ port }) => port),
      {
        "health-check-path": "/healthz",
        "health-check-host": "probe.example",
        "health-check-interval": "1",
        "health-check-timeout": "1",
        "health-check-rise": "1",
        "health-check-fall": "1",
      },
    ),
  });
  const distinct = async () => [...new Set(await askMany(evener, "web.example", 6))].sort().join();
  await eventually("only the well one", async () => (await distinct()) === "p1", 20_000);
  assert.deepEqual([...new Set(sick.checks)], ["probe.example"]);
  sick.status = 200;
  await eventually("both", async () => (await distinct()) === "p0,p1", 20_000);
});

/** The PROXY protocol, section 2.2: a type, a length in two bytes, a value. */
const PP2_TYPE_AUTHORITY = 0x02;
const PP2_TYPE_SSL = 0x20;

function readTlvs(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const tlvs = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at + 1);
    tlvs.set(bytes.readUInt8(at), bytes.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return tlvs;
}

test("pods get a PROXY header with the client's address", async (t) => {
  const pod = await startRawPod(t, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nraw");
  const evener = await Evener.start(t, {
    one: makeHost("one", [pod.port], { "proxy-protocol": "v1" }),
    two: makeHost("two", [pod.port], { "proxy-protocol": "v2-ssl", lane: "tcp" }),
  });
  assert.equal((await ask(evener, "one.example", "/", "127.0.0.9")).body, "raw");
  assert.match(
    pod.received[0]?.toString("latin1") ?? "",
    /^PROXY TCP4 127\.0\.0\.9 127\.0\.0\.1 \d+ \d+\r\nGET \/ HTTP\/1\.1\r\n/,
  );

  const secure = await OpenConnection.open("two.example", evener.httpsPort);
  await secure.ask("two.example").catch(() => undefined);
  const header = pod.received[1] ?? Buffer.alloc(0);
  const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
  assert.deepEqual(header.subarray(0, 12), signature);
  // Version 2, PROXY; TCP over IPv4.
  assert.deepEqual([...header.subarray(12, 14)], [0x21, 0x11]);
  assert.deepEqual([...header.subarray(16, 20)], [127, 0, 0, 1]);
  const length = header.readUInt16BE(14);
  const tlvs = readTlvs(header.subarray(28, 16 + length));
  assert.equal(tlvs.get(PP2_TYPE_AUTHORITY)?.toString(), "two.example");
  // PP2_CLIENT_SSL: the client came with TLS.
  assert.equal((tlvs.get(PP2_TYPE_SSL)?.[0] ?? 0) & 1, 1);
  assert.match(header.subarray(16 + length).toString("latin1"), /^GET \/ HTTP\/1\.1\r\n/);
  await secure.close();
});

test("the cluster IP instead of endpoints", async (t) => {
  const pod = await startBackend(t, "service");
  const [dead = 0] = await findFreePorts(1);
  const service = annotate(makeService("web"), { "service-upstream": "true" });
  const spec = { clusterIP: "127.0.0.1", ports: [{ name: "http", port: pod.port }] };
  const ingress = makeIngress("web", "web.example");
  const [rule] = (ingress.spec as { rules: { http: { paths: { backend: object }[] } }[] }).rules;
  if (rule?.http.paths[0] !== undefined) {
    rule.http.paths[0].backend = { service: { name: "web", port: { name: "http" } } };
  }
  const evener = await Evener.start(t, {
    web: [{ ...service, spec }, ...makeEndpoints("web", [dead]), ingress],
  });
  assert.equal((await ask(evener, "web.example")).body, "service");
});

test("endpoints of our zone come first, the others when those are gone", async (t) => {
  const near = await startBackend(t, "near");
  const far = await startBackend(t, "far");
  const zones = ["here", "there"];
  const endpoints = makeEndpoints("web", [near.port, far.port]).map((slice, i) => ({
    ...slice,
    endpoints: [{ addresses: ["127.0.0.1"], zone: zones[i] }],
  }));
  const service = {
    ...makeService("web"),
    spec: { trafficDistribution: "PreferClose", ports: [{ name: "http", port: 80 }] },
  };
  const evener = await Evener.start(
    t,
    { web: [service, ...endpoints, makeIngress("web", "web.example")] },
    { args: ["--zone", "here"] },
  );
  assert.deepEqual(await askMany(evener, "web.example", 6), Array(6).fill("near"));
  await near.stop();
  assert.deepEqual(await askMany(evener, "web.example", 6), Array(6).fill("far"));
});

test("an endpoint that leaves keeps its connections and gets no new ones, whatever the strategy", async (t) => {
  const pods = [await startBackend(t, "p0"), await startBackend(t, "p1")];
  const ports = pods.map(({ port }) => port);
  const annotations = { lane: "tcp", "load-balance": "least-connections", "slow-start": "30" };
  const evener = await Evener.start(t, { web: makeHost("web", ports, annotations) });
  const open = [
    await OpenConnection.open("web.example", evener.httpsPort),
    await OpenConnection.open("web.example", evener.httpsPort),
  ];
  const names = await Promise.all(open.map((one) => one.ask("web.example")));
  assert.deepEqual([...names].sort(), ["p0", "p1"]);
  const [slice, ...others] = makeEndpoints("web", ports);
  const leaving = {
    ...slice,
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: false, serving: true, terminating: true } }],
  };
  await evener.put("web", [
    makeService("web"),
    leaving,
    ...others,
    annotate(makeIngress("web", "web.example"), annotations),
  ]);
  await eventually("one endpoint", async () => {
    const pools = await evener.balance.pools();
    return pools[0]?.groups[0]?.channels.length === 1;
  });
  for (const [i, one] of open.entries()) assert.equal(await one.ask("web.example"), names[i]);
  for (let i = 0; i < 4; i++) {
    const late = await OpenConnection.open("web.example", evener.httpsPort);
    assert.equal(await late.ask("web.example"), "p1");
    await late.close();
  }
  for (const one of open) await one.close();
});

test("a BackendPolicy wins, and what it said is gone with it", async (t) => {
  const pods = [await startBackend(t, "p0"), await startBackend(t, "p1")];
  const web = makeHost(
    "web",
    pods.map(({ port }) => port),
  );
  const policy = {
    apiVersion: "evener.io/v1alpha1",
    kind: "BackendPolicy",
    metadata: { name: "web", namespace: "default" },
    spec: { targetRefs: [{ name: "web" }], loadBalancing: { strategy: "first" } },
  };
  const evener = await Evener.start(t, { web, policy: [policy] });
  const distinct = async () => new Set(await askMany(evener, "web.example", 6)).size;
  assert.equal(await distinct(), 1);
  await evener.put("policy", []);
  await eventually("turns", async () => (await distinct()) === 2);
});
