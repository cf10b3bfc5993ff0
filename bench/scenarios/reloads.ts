// SPDX-License-Identifier: Apache-2.0
/** Many certificates, and reloads under load. The peers are started for this with all of the certificates. */
import { setTimeout as sleep } from "node:timers/promises";
import { openTls, type WrkResult, wrk } from "../lib/load.ts";
import { cpuSeconds, memoryBytes } from "../lib/usage.ts";
import type { Running } from "../peers/peer.ts";
import type { Sample, Scenario } from "./scenario.ts";

const CONNECTIONS = 32;
const SETTLE_MS = 3000;

/** Load of `seconds`, with a reload each second if asked for. */
async function loadFor(running: Running, seconds: number, isStorm: boolean): Promise<WrkResult> {
  let isOver = false;
  const storm = async () => {
    while (isStorm && !isOver) {
      running.reload?.();
      await sleep(1000);
    }
  };
  const load = wrk(`https://127.0.0.1:${running.port}/`, CONNECTIONS, seconds).finally(() => {
    isOver = true;
  });
  const [result] = await Promise.all([load, storm()]);
  return result;
}

export const reloadStorm: Scenario = {
  id: "reload-storm",
  title: "A reload each second under load",
  columns: [
    { key: "ratio", label: "p99 to undisturbed", digits: 2 },
    { key: "calm", label: "p99 undisturbed, ms", digits: 1 },
    { key: "storm", label: "p99 in the storm, ms", digits: 1 },
    { key: "failed", label: "failed requests", digits: 0 },
    { key: "requests", label: "of", digits: 0 },
  ],
  rounds: ({ rounds }) => Math.min(rounds, 3),
  isFor: ({ name }) => !name.startsWith("caddy"),
  async sample(running, { seconds }): Promise<Sample> {
    if (running.reload === undefined) throw new Error("cannot be reloaded");
    const calm = await loadFor(running, seconds + 2, false);
    const storm = await loadFor(running, seconds + 2, true);
    await sleep(SETTLE_MS);
    return {
      ratio: storm.p99 / calm.p99,
      calm: calm.p99,
      storm: storm.p99,
      failed: storm.errors,
      requests: storm.requests,
    };
  },
};

/** Starting is measured by who starts the peer; see `started`. */
export async function sampleCertificates(running: Running, started: number, name: string): Promise<Sample> {
  const begin = performance.now();
  const { socket } = await openTls(running.port, undefined, name);
  const first = performance.now() - begin;
  if (socket.getPeerCertificate().subject.CN !== name)
    throw new Error(`another certificate than that of ${name}`);
  socket.destroy();
  const memory = memoryBytes(running.pids);
  const calm = await wrk(`https://127.0.0.1:${running.port}/`, CONNECTIONS, 4);
  const before = cpuSeconds(running.pids);
  const load = wrk(`https://127.0.0.1:${running.port}/`, CONNECTIONS, 4);
  await sleep(1000);
  running.reload?.();
  const reload = await load;
  await sleep(SETTLE_MS);
  const perRequest = (cpuSeconds(running.pids) - before) / reload.requests;
  return {
    ratio: reload.p99 / calm.p99,
    failed: reload.errors,
    start: started,
    first,
    memory: memory / 1024 ** 2,
    us: perRequest * 1e6,
  };
}
