// SPDX-License-Identifier: Apache-2.0
/** The product over a directory of manifests: how long after an EndpointSlice was written the first new connection goes where it says. */
import { setTimeout as sleep } from "node:timers/promises";
import { startBackend } from "../../e2e/lib/backend.ts";
import { Evener } from "../../e2e/lib/evener.ts";
import { makeEndpoints, makeIngress, makeSecret, makeService } from "../../e2e/lib/manifests.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { median, percentile } from "../lib/figures.ts";
import { askAnew, timeFirstRouted } from "../lib/first-routed.ts";
import { withLifetime } from "../lib/lifetime.ts";
import { memoryBytes } from "../lib/usage.ts";
import { createPemMaker } from "../peers/certificates.ts";

/** Where the endpoints of the others are: nobody connects to them. */
const UNUSED_PORT = 9;
/** The one whose endpoint changes. */
const SITE = "site-7";

interface ChangeFigures {
  readonly times: readonly number[];
  /** Of the controller alone, MB. */
  readonly memory: number;
}

async function makeManifests(ingresses: number) {
  const maker = await createPemMaker();
  const names = Array.from({ length: ingresses }, (_, i) => `site-${i}`);
  const secrets = names.map(async (name) => makeSecret(`${name}-tls`, await maker.make(`${name}.example`)));
  return {
    secrets: await Promise.all(secrets),
    services: names.map((name) => makeService(name)),
    ingresses: names.map((name) => makeIngress(name, `${name}.example`)),
    others: names.filter((name) => name !== SITE).flatMap((name) => makeEndpoints(name, [UNUSED_PORT])),
  };
}

async function measure(ingresses: number, changes: number): Promise<ChangeFigures> {
  const times: number[] = [];
  let memory = Number.NaN;
  await withLifetime(async (t) => {
    const pods = [await startBackend(t, "a"), await startBackend(t, "b")] as const;
    const site = (i: number) => makeEndpoints(SITE, [pods[i % 2 === 0 ? 0 : 1].port]);
    const evener = await Evener.start(
      t,
      { ...(await makeManifests(ingresses)), site: site(0) },
      { product: true, args: ["--shutdown-delay", "0s"] },
    );
    const ask = () => askAnew(evener.httpsPort, `${SITE}.example`);
    await eventually("served", async () => (await ask()) === "a", 60_000);
    for (let i = 1; i <= changes; i++) {
      const wanted = pods[i % 2 === 0 ? 0 : 1].name;
      times.push(await timeFirstRouted(() => evener.put("site", site(i)), ask, wanted));
      // At any time, not just after the last change was dealt with.
      await sleep(50 + Math.random() * 100);
    }
    memory =
      (memoryBytes([evener.pid]) -
        memoryBytes([evener.childPid("hitch")]) -
        memoryBytes([evener.childPid("balance")])) /
      1024 ** 2;
  });
  return { times, memory };
}

export async function describeEndpointChanges(ingresses: number, changes: number): Promise<string> {
  const { times, memory } = await measure(ingresses, changes);
  const show = (value: number) => value.toFixed(0);
  const cells = [
    ingresses,
    changes,
    show(median(times)),
    show(percentile(times, 0.99)),
    show(Math.max(...times)),
    show(memory),
  ];
  return `### From an endpoint's change to the first connection that goes there, directory source

| Ingresses | changes | p50, ms | p99, ms | most, ms | controller, MB (PSS) |
| --- | --- | --- | --- | --- | --- |
| ${cells.join(" | ")} |
`;
}
