// SPDX-License-Identifier: Apache-2.0
/** Many certificates, and reloads under load. The peers are started for this with all of the certificates. */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../lib/figures.ts";
import { openTls, type WrkResult, wrk } from "../lib/load.ts";
import { cpuSeconds, memoryBytes } from "../lib/usage.ts";
import type { Running } from "../peers/peer.ts";
import type { Sample, Scenario, Size } from "./scenario.ts";

const CONNECTIONS = 32;
const SETTLE_MS = 2000;

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
  rounds: ({ rounds }) => Math.ceil(rounds / 3),
  isFor: ({ name }) => !name.startsWith("caddy"),
  async sample(running, { seconds }): Promise<Sample> {
    if (running.reload === undefined) throw new Error("cannot be reloaded");
    const calm = await loadFor(running, 2 * seconds, false);
    const storm = await loadFor(running, 2 * seconds, true);
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

/** Loads without and with a reload, in turn; the medians. Starting is measured by who starts the peer. */
export async function sampleCertificates(
  running: Running,
  started: number,
  name: string,
  { seconds, rounds }: Size,
): Promise<Sample> {
  const begin = performance.now();
  const { socket } = await openTls(running.port, undefined, name);
  const first = performance.now() - begin;
  if (socket.getPeerCertificate().subject.CN !== name)
    throw new Error(`another certificate than that of ${name}`);
  socket.destroy();
  const memory = memoryBytes(running.pids);
  const samples: { calm: number; reload: number; failed: number; us: number }[] = [];
  for (let i = 0; i < Math.ceil(rounds / 3); i++) samples.push(await sampleReload(running, 2 * seconds));
  const of = (key: keyof (typeof samples)[number]) => samples.map((sample) => sample[key]);
  return {
    ratio: median(of("reload")) / median(of("calm")),
    calm: median(of("calm")),
    reload: median(of("reload")),
    failed: of("failed").reduce((sum, n) => sum + n, 0),
    start: started,
    first,
    memory: memory / 1024 ** 2,
    us: median(of("us")),
  };
}

async function sampleReload(running: Running, seconds: number) {
  const url = `https://127.0.0.1:${running.port}/`;
  const calm = await wrk(url, CONNECTIONS, seconds);
  const before = cpuSeconds(running.pids);
  const load = wrk(url, CONNECTIONS, seconds);
  await sleep(1000);
  running.reload?.();
  const reload = await load;
  await sleep(SETTLE_MS);
  const us = ((cpuSeconds(running.pids) - before) * 1e6) / reload.requests;
  return { calm: calm.p99, reload: reload.p99, failed: reload.errors, us };
}
