// SPDX-License-Identifier: Apache-2.0
// Malformed and borderline requests, each with what RFC and prudence want done with it (http-safety/). The same requests go to
// nginx and haproxy where they are installed; dist/test/http-safety.md tells where they differ.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { suite, type TestContext, test } from "node:test";
import { freePort, skipWithoutBalance, startBalance } from "./http-lib/balance.ts";
import type { Case } from "./http-safety/case.ts";
import { chunks } from "./http-safety/chunks.ts";
import { fields } from "./http-safety/fields.ts";
import { framing } from "./http-safety/framing.ts";
import { lines } from "./http-safety/lines.ts";
import { startPeers } from "./http-safety/peers.ts";
import { writeReport } from "./http-safety/report.ts";
import {
  type Lane,
  type Outcome,
  sendAll,
  sendAndExpect,
  sendAndSee,
  startBackends,
} from "./http-safety/send.ts";
import { sequences } from "./http-safety/sequences.ts";
import { targets } from "./http-safety/targets.ts";

const cases: readonly Case[] = [...framing, ...chunks, ...lines, ...targets, ...fields, ...sequences];

async function startLanes(t: TestContext): Promise<Lane[]> {
  const backends = await startBackends(t);
  const lanes = await Promise.all(backends.map(async (backend) => ({ port: await freePort(), backend })));
  const conf = lanes.map(
    ({ port, backend }, i) =>
      `listen l${i} tcp:127.0.0.1:${port} table=t${i}\npool p${i} ${backend.channel}\ndefault t${i} p${i}\n`,
  );
  await startBalance(t, `http head-timeout=1.5 http-port=80\n${conf.join("")}`);
  return lanes;
}

function check(item: Case, got: Outcome): void {
  const forwarded = "forwarded" in item.expect ? item.expect.forwarded : [];
  const refused = item.expect.refused === undefined ? [] : [item.expect.refused];
  assert.equal(got.reached, forwarded.join(""), "what reached the backend");
  assert.deepEqual(got.statuses, [...forwarded.map(() => 200), ...refused], "the answers");
  assert.ok(got.closed, "the connection ends");
}

test("no two cases have one name", () => {
  assert.equal(new Set(cases.map((c) => c.name)).size, cases.length);
  assert.ok(cases.length >= 150);
});

suite("malformed and borderline requests", { skip: skipWithoutBalance() }, async () => {
  await test("cases", async (t) => {
    const ours = await sendAll(await startLanes(t), cases, sendAndExpect);
    for (const item of cases)
      await t.test(`${item.name} (RFC ${item.rfc})`, () => {
        const got = ours.get(item);
        assert.ok(got);
        check(item, got);
      });
    const peers = await startPeers(t);
    const theirs = await Promise.all(
      peers.map(async (peer) => ({ peer, outcomes: await sendAll(peer.lanes, cases, sendAndSee) })),
    );
    const report = writeReport(cases, ours, theirs);
    const dist = new URL("../../dist/test/", import.meta.url);
    await mkdir(dist, { recursive: true });
    await writeFile(new URL("http-safety.md", dist), report.text);
    for (const [peer, n] of report.differing)
      t.diagnostic(`${peer} differs in ${n} of ${cases.length} cases`);
  });
});
