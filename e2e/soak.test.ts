// SPDX-License-Identifier: Apache-2.0
/** 10,000 connections through Hitch and Balance leave nothing behind. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { type TestContext, test } from "node:test";
import { listProcesses } from "../src/supervise/process-table.ts";
import { makeKeyPair } from "../test/fixtures/certificates.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { startBackend } from "./lib/backend.ts";
import { inParallel } from "./lib/client.ts";
import { Evener } from "./lib/evener.ts";
import { makeSecret, makeSite } from "./lib/manifests.ts";

const WARM_UP = 2000;
const COUNT = 10_000;
const PARALLEL = 40;
/** Allocators keep some pages for later: so much may stay per process, which is 0.4 KB for each connection. */
const GROWTH_KB = 4096;

interface Usage {
  readonly descriptors: number;
  readonly rssKb: number;
}

for (const lane of ["http", "tcp"] as const) {
  test(
    `${lane} lane: ${COUNT} connections leave no descriptor, no memory growth, no counter drift`,
    {
      timeout: 300_000,
    },
    (t) => soak(t, lane),
  );
}

async function soak(t: TestContext, lane: "http" | "tcp"): Promise<void> {
  const backend = await startBackend(t, "a");
  const pair = await makeKeyPair(["a.example"]);
  const evener = await Evener.start(t, {
    a: makeSite("a", [backend.port], { lane }),
    tls: [makeSecret("a-tls", pair)],
  });
  const masters = [evener.childPid("hitch"), evener.childPid("balance")];
  const metric = (name: string) => evener.metric(`evener_connections_${name}{listener="https"}`);
  const idle = () => eventually("no active connection", async () => (await metric("active")) === 0);

  await inParallel(WARM_UP, PARALLEL, () => connectOnce(evener.httpsPort));
  await idle();
  const before = await measure(masters);
  const resting = await backend.open();
  const total = await metric("total");
  assert.equal(total, WARM_UP);
  const [accepted, requests] = [backend.accepted(), backend.requests()];

  const answers = await inParallel(COUNT, PARALLEL, () => connectOnce(evener.httpsPort));
  assert.deepEqual(new Set(answers), new Set(["a\n"]));
  await idle();
  assert.equal((await metric("total")) - total, COUNT);
  assert.equal(backend.requests() - requests, COUNT);
  if (lane === "tcp") assert.equal(backend.accepted() - accepted, COUNT);
  const [pool] = await evener.balance.pools();
  const [channel] = pool?.groups[0]?.channels ?? [];
  const served = lane === "tcp" ? channel?.total : channel?.requests;
  assert.deepEqual(
    { active: channel?.active, served, failed: channel?.failed },
    { active: 0, served: WARM_UP + COUNT, failed: 0 },
  );

  // Hitch closes its side when it gets to it.
  const after = await eventually("the descriptors of before", async () => {
    const usage = await measure(masters);
    // The HTTP lane keeps some connections to pods for the next requests: those, and no others, may have become more or fewer.
    const kept = (await backend.open()) - resting;
    return countDescriptors(usage) === countDescriptors(before) + kept ? usage : undefined;
  });
  assert.deepEqual([...after.keys()], [...before.keys()], "a process was replaced");
  for (const [pid, { rssKb }] of after) {
    const growth = rssKb - (before.get(pid)?.rssKb ?? 0);
    t.diagnostic(`process ${pid}: ${rssKb} KB, grown by ${growth} KB`);
    assert.ok(growth <= GROWTH_KB, `process ${pid} grew by ${growth} KB`);
  }
}

function countDescriptors(usage: ReadonlyMap<number, Usage>): number {
  return [...usage.values()].reduce((sum, { descriptors }) => sum + descriptors, 0);
}

/** One connection with one request, and no session to resume. */
function connectOnce(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 0, rejectUnauthorized: false });
    const options = {
      host: "127.0.0.1",
      port,
      servername: "a.example",
      agent,
      headers: { host: "a.example", connection: "close" },
    };
    const sent = request(options, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.once("end", () => resolve(body));
      response.once("error", reject);
    });
    sent.once("error", reject);
    sent.end();
  });
}

/** The masters and their workers, by pid. */
async function measure(masters: readonly number[]): Promise<Map<number, Usage>> {
  const usage = new Map<number, Usage>();
  for (const { pid, group, zombie } of await listProcesses()) {
    if (zombie || !masters.includes(group)) continue;
    const descriptors = (await readdir(`/proc/${pid}/fd`)).length;
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    usage.set(pid, { descriptors, rssKb: Number(rss) });
  }
  return usage;
}
