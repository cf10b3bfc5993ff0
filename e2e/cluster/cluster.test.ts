// SPDX-License-Identifier: Apache-2.0
/** The image and the chart on a real node: `make e2e-cluster`. Each step prints its figure. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PREVIOUS_CHART } from "../../charts/tools/helm.ts";
import { type KeyPair, makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { listDenied } from "../kube/lib/audit.ts";
import { type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { CLIENT_ADDRESSES, LB_ADDRESS, NODE_ADDRESS } from "./lib/addresses.ts";
import { findEvenerImage, whyNot } from "./lib/assets.ts";
import { listEverything } from "./lib/inventory.ts";
import { ask, Load, type Target } from "./lib/load.ts";
import { Node } from "./lib/node.ts";
import { ECHO_IMAGE, makeEcho, makeNamespace } from "./lib/objects.ts";
import { listContainers, type Process } from "./lib/processes.ts";
import { PodWatch } from "./lib/readiness.ts";
import { Release } from "./lib/release.ts";
import { compileStatic, makeScratchImage } from "./lib/scratch-image.ts";
import { makeSteps } from "./lib/steps.ts";
import { type Pod, Workloads } from "./lib/workloads.ts";

const HOST = "shop.example";
const HTTPS_NODE_PORT = 30443;
const SHOP = "shop";
const ECHO = "app=shop";
const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };
const PRIVILEGED = { "pod-security.kubernetes.io/enforce": "privileged" };
const DEFINITIONS = ["backendpolicies", "clientcertificatepolicies", "tlsprofiles"];
const describeDefinition = (plural: string): Manifest => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.evener.io` },
});
/** Before and after what happens under load. */
const CALM_MS = 2000;
/** A restarted container has to be pulled up by kubelet, which takes its time. */
const BACK_MS = 90_000;
/** How long readiness may lag behind. */
const LAG_MS = 1000;

describe("a cluster of one node", { skip: whyNot() }, () => {
  let node: Node;
  let workloads: Workloads;
  let release: Release;
  let pair: KeyPair;
  let image: { repository: string; tag: string };
  let untouched: Set<string>;
  let readyMs = 0;

  const step = makeSteps(async () => await node?.dump());

  const target = (address: string, port: number, from?: string): Target => ({
    ...{ address, port, host: HOST, ca: pair.cert },
    ...(from === undefined ? {} : { from }),
  });
  const outside = () => [target(LB_ADDRESS, 443), target(NODE_ADDRESS, HTTPS_NODE_PORT)];

  before(async () => {
    const evener = await findEvenerImage();
    image = evener;
    const start = Date.now();
    node = await Node.start();
    readyMs = Date.now() - start;
    workloads = new Workloads(node.admin);
    release = new Release("evener", "ingress", node.kubeconfig);
    pair = await makeKeyPair([HOST]);
    await node.importImage(evener.archive);
    const echo = await compileStatic("echo", node.work);
    await node.importImage(await makeScratchImage("echo", echo, ECHO_IMAGE));
    await node.tagImage(`${evener.repository}:${evener.tag}`, `${evener.repository}:next`);
  });

  after(async () => {
    // The last step has ended it, unless one before has failed.
    await node?.stop();
  });

  step("the node is up", async (t) => {
    t.diagnostic(`the node is ready after ${readyMs} ms`);
    for (const { name, rssKiB } of node.rss) t.diagnostic(`${name}: ${toMiB(rssKiB)} resident`);
    await node.admin.apply(
      makeNamespace(release.namespace, RESTRICTED),
      makeNamespace(SHOP, RESTRICTED),
      makeNamespace("older", RESTRICTED),
      makeNamespace("edge", PRIVILEGED),
    );
    // A namespace's own objects are made by controllers.
    await eventually("the namespaces are complete", async () => {
      const all = [...(await listEverything(node.admin))];
      return [release.namespace, SHOP, "older", "edge"].every(
        (name) =>
          all.some((object) => object.endsWith(` ${name}/default`)) &&
          all.some((object) => object.endsWith(` ${name}/kube-root-ca.crt`)),
      );
    });
    untouched = await listEverything(node.admin);
  });

  step("helm install: two replicas are ready", async (t) => {
    const start = Date.now();
    await release.install({
      image: { repository: image.repository, tag: image.tag },
      service: {
        externalTrafficPolicy: "Local",
        nodePorts: { http: 30080, https: HTTPS_NODE_PORT },
      },
      config: { workers: 2 },
    });
    await workloads.waitRollout(release.namespace, "evener", release.selector);
    t.diagnostic(`helm install → two replicas ready: ${Date.now() - start} ms`);
    assert.equal((await workloads.readyPods(release.namespace, release.selector)).length, 2);
  });

  step("an Ingress with TLS is served at the load balancer's address and at the node's port", async (t) => {
    await workloads.assignAddress(release.namespace, "evener", LB_ADDRESS);
    await node.admin.apply(...makeEcho("shop", SHOP, 3));
    await workloads.waitRollout(SHOP, "shop", ECHO);
    const start = Date.now();
    const ingress = makeIngress("shop", HOST, { namespace: SHOP });
    await node.admin.apply(makeSecret("shop-tls", pair, SHOP), ingress);
    // Behind the Service it is now one, now the other: each has to have it.
    for (const { status } of await workloads.readyPods(release.namespace, release.selector)) {
      const pod = target(status.podIP ?? "", 8443);
      await eventually(`${pod.address} serves`, async () => (await ask(pod)).status === 200, 30_000);
    }
    for (const one of outside()) {
      await eventually(`${one.address} serves`, async () => (await ask(one)).status === 200, 30_000);
      t.diagnostic(`Ingress written → ${one.address}:${one.port} serves: ${Date.now() - start} ms`);
    }
    await eventually("the address is in the status", async () => (await readAddress(ingress)) === LB_ADDRESS);
    t.diagnostic(`Ingress written → status has ${LB_ADDRESS}: ${Date.now() - start} ms`);
  });

  step("externalTrafficPolicy: Local: the pod is told the client's own address", async (t) => {
    for (const from of CLIENT_ADDRESSES) {
      for (const { address, port } of outside()) {
        const { text } = await ask(target(address, port, from));
        const told = /^x-forwarded-for: (.*)$/im.exec(text)?.[1]?.trim();
        assert.equal(told, from, `${address}:${port} tells:\n${text}`);
        t.diagnostic(`${from} → ${address}:${port} → X-Forwarded-For: ${told}`);
      }
    }
  });

  step("a rollout of the echo pods under load: no request fails", async (t) => {
    const load = new Load(...outside());
    await sleep(CALM_MS);
    await workloads.restart(SHOP, "shop");
    const took = await workloads.waitRollout(SHOP, "shop", ECHO);
    await sleep(CALM_MS);
    await load.stop();
    t.diagnostic(`${load.figures}; ${load.answered.size} pods; rollout: ${took} ms`);
    assert.deepEqual(load.failures, []);
    assert(load.answered.size >= 6, "old and new pods answered");
  });

  step("a rolling restart of Evener under load: no request fails", async (t) => {
    const load = new Load(...outside());
    await sleep(CALM_MS);
    await workloads.restart(release.namespace, "evener");
    const took = await workloads.waitRollout(release.namespace, "evener", release.selector);
    await sleep(CALM_MS);
    await load.stop();
    t.diagnostic(`${load.figures}; rollout: ${took} ms`);
    assert.deepEqual(load.failures, []);
  });

  step("helm upgrade to another image and other settings under load: no request fails", async (t) => {
    const load = new Load(...outside());
    await sleep(CALM_MS);
    await release.upgrade({ image: { tag: "next" }, config: { "log-level": "debug" } });
    const took = await workloads.waitRollout(release.namespace, "evener", release.selector);
    await sleep(CALM_MS);
    await load.stop();
    t.diagnostic(`${load.figures}; upgrade: ${took} ms`);
    assert.deepEqual(load.failures, []);
  });

  step("helm upgrade from the previous version of the chart under load: no request fails", async (t) => {
    const older = new Release("older", "older", node.kubeconfig);
    const port = 31443;
    const own = { image: { repository: image.repository, tag: image.tag }, config: { workers: 1 } };
    const ingressClassResource = { name: "older", controllerValue: "evener.io/older" };
    const service = { type: "NodePort", nodePorts: { https: port } };
    await older.install({ ...own, ingressClassResource, service }, PREVIOUS_CHART);
    const ingress = makeIngress("older", HOST, { namespace: SHOP, service: "shop", secret: "shop-tls" });
    (ingress.spec as Record<string, unknown>).ingressClassName = "older";
    await node.admin.apply(ingress);
    await workloads.waitRollout(older.namespace, "older-evener", older.selector);
    const at = target(NODE_ADDRESS, port);
    for (const { status } of await workloads.readyPods(older.namespace, older.selector)) {
      const pod = target(status.podIP ?? "", 8443);
      await eventually(`${pod.address} serves`, async () => (await ask(pod)).status === 200, 30_000);
    }
    await eventually("the node's port serves", async () => (await ask(at)).status === 200, 30_000);
    const before = await readChartVersion(older);
    assert.match(before, /^evener-/);
    const load = new Load(at);
    await sleep(CALM_MS);
    await older.upgrade({});
    const took = await workloads.waitRollout(older.namespace, "older-evener", older.selector);
    await sleep(CALM_MS);
    await load.stop();
    t.diagnostic(`${before} → ${await readChartVersion(older)}: ${load.figures}; upgrade: ${took} ms`);
    assert.deepEqual(load.failures, []);
    assert.notEqual(await readChartVersion(older), before);
    await node.admin.delete(ingress);
    await older.uninstall();
  });

  step("memory of every container", async (t) => {
    const groups: [string, string][] = [
      [release.namespace, release.selector],
      [SHOP, ECHO],
    ];
    for (const [namespace, selector] of groups) {
      for (const pod of await workloads.readyPods(namespace, selector)) {
        for (const { processes, workingSetKiB } of listContainers(pod.metadata.uid)) {
          const sum = processes.reduce((total, { rssKiB }) => total + rssKiB, 0);
          const parts = processes.map(({ args, rssKiB }) => `${shorten(args)} ${toMiB(rssKiB)}`);
          const { name } = pod.metadata;
          t.diagnostic(
            `${name}: ${toMiB(sum)} resident (${parts.join(", ")}), working set ${toMiB(workingSetKiB)}`,
          );
        }
      }
    }
  });

  const victims: [string, RegExp, "master" | "worker", "goes on" | "starts anew"][] = [
    ["a worker of Hitch", /\/hitch\b/, "worker", "goes on"],
    ["Hitch", /\/hitch\b/, "master", "goes on"],
    ["a worker of Balance", /\/balance\b/, "worker", "goes on"],
    ["Balance", /\/balance\b/, "master", "goes on"],
    ["the controller", /\/lib\/node /, "master", "starts anew"],
    ["the init", /^\/usr\/bin\/evener/, "master", "starts anew"],
  ];
  for (const [i, [what, args, role, then]] of victims.entries()) {
    step(
      `kill -9 of ${what}: the pod serves again, no zombie remains, readiness tells the truth`,
      async (t) => {
        const pods = await eventually(
          "two pods are ready",
          async () => {
            const ready = await workloads.readyPods(release.namespace, release.selector);
            return ready.length === 2 && ready.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
          },
          BACK_MS,
        );
        const pod = pods[i % 2] as Pod;
        const { uid, name } = pod.metadata;
        const victim = findVictim(uid, args, role);
        const alive = () =>
          processesOf(uid).filter((process) => args.test(process.args) && process.state !== "Z");
        const before = { restarts: restarts(pod), alive: alive().length };
        const load = new Load(...outside());
        await sleep(500);
        const back = async () => {
          const [now] = (await workloads.pods(release.namespace, release.selector)).filter(
            ({ metadata }) => metadata.uid === uid,
          );
          const again = alive();
          const replaced = again.length >= before.alive && again.every(({ pid }) => pid !== victim.pid);
          const restarted = before.restarts + (then === "goes on" ? 0 : 1);
          return replaced && now !== undefined && restarts(now) === restarted;
        };
        const watch = new PodWatch(pod.status.podIP ?? "", { host: HOST, ca: pair.cert });
        const outage = await watch.during(() => process.kill(victim.pid, "SIGKILL"), back, BACK_MS);
        await sleep(500);
        await load.stop();
        const { resumedMs, unreadySeen, lieMs, failed } = outage;
        t.diagnostic(
          `${name}: serves again after ${resumedMs} ms; unready ${unreadySeen ? "seen" : "never seen"}, ` +
            `readiness wrong for ${lieMs} ms, ${failed} requests to the pod failed; through the Service: ${load.figures}`,
        );
        assert(lieMs <= LAG_MS, `readiness said yes for ${lieMs} ms while nobody answered`);
        if (then === "starts anew") assert(unreadySeen, "the pod was seen to be not ready");
        await eventually("no zombie", () => processesOf(uid).every(({ state }) => state !== "Z"), 5000);
      },
    );
  }

  step("a DaemonSet with ports of the node serves another class beside it", async (t) => {
    const edge = new Release("edge", "edge", node.kubeconfig);
    const start = Date.now();
    await edge.install({
      image: { repository: image.repository, tag: image.tag },
      controller: { kind: "DaemonSet" },
      hostPort: { enabled: true },
      service: { enabled: false },
      publishStatusAddresses: [NODE_ADDRESS],
      ingressClassResource: { name: "edge", controllerValue: "evener.io/edge" },
      config: { workers: 1 },
    });
    const ingress = makeIngress("edge", HOST, { namespace: SHOP, service: "shop", secret: "shop-tls" });
    (ingress.spec as Record<string, unknown>).ingressClassName = "edge";
    await node.admin.apply(ingress);
    const at = target(NODE_ADDRESS, 443);
    await eventually("the node's port 443 serves", async () => (await ask(at)).status === 200, 60_000);
    t.diagnostic(`helm install → ${NODE_ADDRESS}:443 serves: ${Date.now() - start} ms`);
    await eventually(
      "the address is in the status",
      async () => (await readAddress(ingress)) === NODE_ADDRESS,
    );
    await node.admin.delete(ingress);
    await edge.uninstall();
    await eventually(
      "its pods are gone",
      async () => {
        return (await workloads.pods("edge", edge.selector)).length === 0;
      },
      90_000,
    );
  });

  step("nothing that Evener asked of the API server was denied", async (t) => {
    const events = await node.audit(`system:serviceaccount:${release.namespace}:evener`);
    t.diagnostic(`${events.length} requests`);
    assert(events.length > 0);
    assert.deepEqual(listDenied(events), []);
  });

  step(
    "the last replica takes its address out of the status; helm uninstall leaves the definitions, and without them nothing is left",
    async (t) => {
      const ingress = makeIngress("shop", HOST, { namespace: SHOP });
      // The leader may have been killed a moment ago, and its Lease has to run out before another one leads.
      await eventually("a replica leads", findLeader, BACK_MS);
      await workloads.scale(release.namespace, "evener", 0);
      await workloads.waitRollout(release.namespace, "evener", release.selector);
      assert.equal(await readAddress(ingress), "");
      const start = Date.now();
      await release.uninstall();
      await node.admin.delete(ingress, makeSecret("shop-tls", pair, SHOP), ...makeEcho("shop", SHOP, 3));
      const listLeft = async () =>
        [...(await listEverything(node.admin))].filter((object) => !untouched.has(object));
      // Helm never deletes definitions, since all objects of these kinds would go with them.
      const isDefinition = (object: string) => /evener\.io$/.test(object);
      let left: readonly string[] = [];
      const settle = (what: string, isOver: () => boolean) =>
        eventually(
          what,
          async () => {
            left = await listLeft();
            return isOver();
          },
          60_000,
        ).catch(() => undefined);
      await settle("the release is gone", () => left.every(isDefinition));
      assert.deepEqual(
        left.filter((object) => !isDefinition(object)),
        [],
      );
      t.diagnostic(`helm uninstall → nothing left but definitions: ${Date.now() - start} ms`);
      await node.admin.delete(...DEFINITIONS.map(describeDefinition));
      await settle("nothing is left", () => left.length === 0);
      assert.deepEqual(left, []);
    },
  );

  step("the node goes without a trace", async (t) => {
    const start = Date.now();
    assert.deepEqual(await node.stop(), []);
    t.diagnostic(`stopped: ${Date.now() - start} ms`);
  });

  /** What the pods say: the chart that made their template. */
  async function readChartVersion({ namespace, selector }: Release): Promise<string> {
    const [pod] = await workloads.readyPods(namespace, selector);
    return pod?.metadata.labels?.["helm.sh/chart"] ?? "";
  }

  async function findLeader(): Promise<string | undefined> {
    for (const { metadata, status } of await workloads.readyPods(release.namespace, release.selector)) {
      const metrics = await (await fetch(`http://${status.podIP}:10254/metrics`)).text();
      if (/^evener_leader_election_status\{.*\} 1$/m.test(metrics)) return metadata.name;
    }
    return undefined;
  }

  async function readAddress(ingress: Manifest): Promise<string> {
    const { status } = (await node.admin.get(ingress)) as {
      status?: { loadBalancer?: { ingress?: { ip?: string }[] } };
    };
    return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(" ");
  }
});

function processesOf(podUid: string): Process[] {
  return listContainers(podUid).flatMap(({ processes }) => processes);
}

function findVictim(podUid: string, args: RegExp, role: "master" | "worker"): Process {
  const found = processesOf(podUid).filter((process) => args.test(process.args));
  const pids = new Set(found.map(({ pid }) => pid));
  const victim = found.find(({ parent }) => pids.has(parent) === (role === "worker"));
  assert(victim, `${args} ${role} is there`);
  return victim;
}

function restarts({ status }: Pod): number {
  return status.containerStatuses?.[0]?.restartCount ?? 0;
}

function toMiB(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}

/** `/usr/lib/evener/lib/node --enable…` → `node` */
function shorten(args: string): string {
  return args.split(" ")[0]?.split("/").at(-1) ?? "";
}
