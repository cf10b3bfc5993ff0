// SPDX-License-Identifier: Apache-2.0
/**
 * Evener against a real API server with thousands of sites: time from a cold start to ready, memory, and what one endpoint
 * change costs. `make dataplane build e2e-assets`, then `node bench/kube-scale.ts [SITES]`.
 */
import { readFileSync } from "node:fs";
import { Cluster } from "../e2e/kube/lib/cluster.ts";
import { Evener } from "../e2e/lib/evener.ts";
import { ingressClass } from "../e2e/lib/manifests.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { withLifetime } from "./lib/lifetime.ts";
import { readCpuMs, readMemoryMb } from "./lib/process-usage.ts";
import {
  addressesOf,
  createCertificateMaker,
  hostOf,
  makeIngress,
  makeNamespaces,
  makeSecret,
  makeService,
  makeSlice,
} from "./lib/scale-objects.ts";

const SITES = Number(process.argv[2] ?? 5000);
const ENDPOINTS = 4;
const CHANGES = 30;

// As in a pod, keys lie in memory.
process.env.TMPDIR = "/dev/shm";

function say(what: string, value: string | number): void {
  process.stdout.write(`${what.padEnd(52)} ${value}\n`);
}

async function fill(cluster: Cluster): Promise<void> {
  await cluster.admin.apply(ingressClass);
  await cluster.admin.create(makeNamespaces());
  const maker = await createCertificateMaker();
  const indexes = Array.from({ length: SITES }, (_, i) => i);
  await cluster.admin.create(indexes.map(makeService));
  await cluster.admin.create(indexes.map((i) => makeSlice(i, addressesOf(i, ENDPOINTS))));
  await cluster.admin.create(indexes.map(makeIngress));
  for (let from = 0; from < SITES; from += 500) {
    await cluster.admin.create(
      await Promise.all(indexes.slice(from, from + 500).map((i) => makeSecret(i, maker))),
    );
  }
}

await withLifetime(async (t) => {
  const cluster = await Cluster.start(t);
  const began = Date.now();
  await fill(cluster);
  say("objects written", `${SITES * 4} in ${Math.round((Date.now() - began) / 1000)} s`);

  const user = await cluster.addPowerfulUser("scale");
  const args = ["--source", "kube", "--kubeconfig", user.kubeconfig, "--shutdown-delay", "0s"];
  const start = Date.now();
  const evener = await Evener.start(t, {}, { args, product: true, waitReady: false });
  const seconds = () => ((Date.now() - start) / 1000).toFixed(1);
  await eventually("lists arrived", () => evener.log.find(({ msg }) => msg.includes("has synced")), 300_000);
  say("cold start to lists arrived", `${seconds()} s`);
  say("  memory then", JSON.stringify(readMemoryMb(evener.pid)));
  const synced = Date.now();
  await eventually("ready", () => evener.isReady(), 600_000);
  say("lists arrived to ready", `${((Date.now() - synced) / 1000).toFixed(1)} s`);
  say("  CPU of the controller until then", `${readCpuMs(evener.pid)} ms`);
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  say("memory of the controller, MB", JSON.stringify(readMemoryMb(evener.pid)));

  const costs: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const [site, address] = [(i * 131) % SITES, `10.99.0.${i + 1}`];
    const before = readCpuMs(evener.pid);
    await cluster.admin.apply(makeSlice(site, [address]));
    await eventually("live", () => liveText(evener).includes(`${address}:`), 60_000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    costs.push(readCpuMs(evener.pid) - before);
  }
  const idle = readCpuMs(evener.pid);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  costs.sort((a, b) => a - b);
  say(
    "CPU of the controller for one endpoint change, ms",
    `median ${costs[CHANGES / 2]}, most ${costs.at(-1)}`,
  );
  say("CPU of the controller in 10 idle seconds, ms", readCpuMs(evener.pid) - idle);
  say("memory of the controller after that, MB", JSON.stringify(readMemoryMb(evener.pid)));
  say(
    "a host that is served",
    liveText(evener).includes(` ${hostOf(SITES - 1)} `) ? hostOf(SITES - 1) : "NONE",
  );
});

function liveText(evener: Evener): string {
  return readFileSync(`${evener.runDir}/balance.conf`, "utf8");
}
