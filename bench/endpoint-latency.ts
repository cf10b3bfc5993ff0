// SPDX-License-Identifier: Apache-2.0
/**
 * How long after an EndpointSlice was written the first connection goes where it says, with many other Services present.
 * `make dataplane build e2e-assets`, then `node bench/endpoint-latency.ts [SERVICES] [CHANGES] [ENDPOINTS]`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "../e2e/kube/lib/cluster.ts";
import { Evener } from "../e2e/lib/evener.ts";
import { ingressClass } from "../e2e/lib/manifests.ts";
import { findPodAddress, startPod } from "../e2e/lib/replica.ts";
import { eventually } from "../test/fixtures/eventually.ts";
import { percentile } from "./lib/figures.ts";
import { askAnew, timeFirstRouted } from "./lib/first-routed.ts";
import { withLifetime } from "./lib/lifetime.ts";
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

const SERVICES = Number(process.argv[2] ?? 1000);
const CHANGES = Number(process.argv[3] ?? 200);
const ENDPOINTS = Number(process.argv[4] ?? 2);
/** The one whose endpoint changes. */
const SITE = 7;

process.env.TMPDIR = "/dev/shm";

await withLifetime(async (t) => {
  const cluster = await Cluster.start(t);
  const [a, b] = [await startPod(t, "a"), await startPod(t, "b")];
  const pods = [a, b] as const;
  const sliceOf = (i: number) => makeSlice(SITE, [findPodAddress()], pods[i % 2]?.port);
  const indexes = Array.from({ length: SERVICES }, (_, i) => i);
  await cluster.admin.apply(ingressClass);
  await cluster.admin.create(makeNamespaces());
  await cluster.admin.create(indexes.map(makeService));
  await cluster.admin.create(
    indexes.map((i) => (i === SITE ? sliceOf(0) : makeSlice(i, addressesOf(i, ENDPOINTS)))),
  );
  await cluster.admin.create([
    ...indexes.map(makeIngress),
    await makeSecret(SITE, await createCertificateMaker()),
  ]);

  const user = await cluster.addPowerfulUser("latency");
  const args = ["--source", "kube", "--kubeconfig", user.kubeconfig, "--shutdown-delay", "0s"];
  const evener = await Evener.start(t, {}, { args, product: true });
  const asks = () => askAnew(evener.httpsPort, hostOf(SITE));
  await eventually("served", async () => (await asks()) === "a", 60_000);

  const times: number[] = [];
  const writes: number[] = [];
  for (let i = 1; i <= CHANGES; i++) {
    const write = async () => {
      const start = performance.now();
      await cluster.admin.apply(sliceOf(i));
      writes.push(performance.now() - start);
    };
    times.push(await timeFirstRouted(write, asks, pods[i % 2]?.name ?? ""));
    await sleep(100 + Math.random() * 100);
  }
  const show = (list: readonly number[]) =>
    [0.5, 0.9, 0.99, 1].map((share) => `p${share * 100} ${percentile(list, share).toFixed(0)}`).join("  ");
  process.stdout.write(
    `${SERVICES} Services of ${ENDPOINTS} endpoints, ${CHANGES} changes, ms from the start of the write\n`,
  );
  process.stdout.write(`  write acknowledged      ${show(writes)}\n`);
  const sum = await evener.metric("evener_sync_duration_seconds_sum");
  const count = await evener.metric("evener_sync_duration_seconds_count");
  process.stdout.write(`  a sync, mean            ${((sum / count) * 1000).toFixed(0)} (${count} of them)\n`);
  process.stdout.write(`  first connection routed ${show(times)}\n`);
});
