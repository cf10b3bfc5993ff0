// SPDX-License-Identifier: Apache-2.0
// The image at work, as restricted as a pod can be, and with each of its processes killed.
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { generateSelfSigned } from "../../src/apply/self-signed.ts";
import { ARCH, type Image, ROOT, unpackImage, whySkip } from "./lib/archive.ts";
import { Container, type Process } from "./lib/container.ts";
import { Network } from "./lib/network.ts";

const HEALTH = "http://127.0.0.1:10254";
const SERVED_AGAIN_MS = 30_000;
/** How long readiness may lag behind. */
const LAG_MS = 1000;

const foreign = ARCH !== (process.arch === "x64" ? "amd64" : process.arch) ? "for another machine" : false;

describe("the image at work", { skip: whySkip(ARCH) || foreign }, () => {
  let image: Image;
  let network: Network;
  let container: Container;

  before(async () => {
    image = unpackImage();
    network = new Network();
    network.startBackend("echo-a", 18081);
    network.startBackend("echo-b", 18082);
    const manifests = join(image.dir, "manifests");
    mkdirSync(manifests);
    cpSync(join(ROOT, "examples"), manifests, {
      recursive: true,
      filter: (path) => !/demo|\.ts$/.test(path),
    });
    for (const host of ["a", "b"]) writeFileSync(join(manifests, `${host}.yaml`), await makeSecret(host));
    const run = join(image.dir, "run");
    mkdirSync(run);
    chmodSync(run, 0o777);
    container = new Container(
      image,
      network,
      ["run", "--source", "dir:/manifests", "--workers", "2", "--shutdown-grace-period", "5"],
      [
        { source: manifests, target: "/manifests" },
        { source: run, target: "/run/evener", writable: true },
      ],
    );
    container.start();
    await served();
  });

  after(async () => {
    if (container?.running) await container.stop();
    network?.remove();
    image?.remove();
  });

  const ask = (host: string) =>
    network.get(`https://${host}.example:8443/`, "--resolve", `${host}.example:8443:127.0.0.1`);
  const ready = async () => (await network.get(`${HEALTH}/readyz`)).status === 200;

  /** Until both hosts are served and readiness says so; how long that took, and how long readiness lied meanwhile. */
  async function served(): Promise<{ ms: number; lie: number; seenUnready: boolean }> {
    const start = Date.now();
    let lie = 0;
    let seenUnready = false;
    for (;;) {
      const began = Date.now();
      const told = await ready();
      const answers = await Promise.all([ask("a"), ask("b")]);
      const works = answers.every(({ status }) => status === 200);
      if (told && works) return { ms: Date.now() - start, lie, seenUnready };
      // Both at the time of asking and after it: the answers lie in between.
      if (told && !works && (await ready())) lie += Date.now() - began;
      seenUnready ||= !told;
      assert(Date.now() - start < SERVED_AGAIN_MS, `not served again:\n${container.log.slice(-4000)}`);
      await sleep(20);
    }
  }

  async function find(name: RegExp, role: "master" | "worker"): Promise<Process> {
    const processes = (await container.processes()).filter(({ args }) => name.test(args));
    const pids = new Set(processes.map(({ pid }) => pid));
    const found = processes.find(({ parent }) => pids.has(parent) === (role === "worker"));
    assert(found, `${name} ${role} is there`);
    return found;
  }

  async function assertNoZombie(): Promise<void> {
    let zombies: Process[] = [];
    for (let i = 0; i < 50; i++) {
      zombies = (await container.processes()).filter(({ state }) => state === "Z");
      if (zombies.length === 0) return;
      await sleep(100);
    }
    assert.deepEqual(zombies, []);
  }

  it("serves the examples, each host with its own certificate", async () => {
    assert.deepEqual(await ask("a"), { status: 200, body: "echo-a\n" });
    assert.deepEqual(await ask("b"), { status: 200, body: "echo-b\n" });
  });

  it("runs without any capability, as nobody in particular, on a read-only root", async () => {
    const processes = await container.processes();
    // init, controller, two masters, two workers each
    assert(processes.length >= 8, JSON.stringify(processes));
    for (const { pid, args } of processes) {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
        assert.match(status, new RegExp(`^${set}:\\s0{16}$`, "m"), `${set} of ${args}`);
      }
      assert.match(status, /^Uid:\s65532\s65532\s65532\s65532$/m);
      assert.match(status, /^Gid:\s65532\s65532\s65532\s65532$/m);
      assert.match(status, /^NoNewPrivs:\s1$/m);
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n");
      assert.match(mounts.find((line) => line.split(" ")[4] === "/") ?? "", / ro[, ]/);
    }
  });

  it("has an init that is no more than an init", async () => {
    const init = (await container.processes()).find(({ args }) => args.startsWith("/usr/bin/evener"));
    assert(init);
    const rss = Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${init.pid}/status`, "utf8"))?.[1]);
    assert(rss < 1024, `${rss} kB`);
  });

  it("has a controller whose memory is its own use, and not Node's comfort", async (t) => {
    const controller = (await container.processes()).find(({ args }) => args.includes("/lib/node "));
    assert(controller);
    const launcher = readFileSync(join(ROOT, "src/cli/launcher.sh"), "utf8");
    const [flag = ""] = /--max-semi-space-size=\d+/.exec(launcher) ?? [];
    assert(controller.args.includes(` ${flag} `), controller.args);
    const status = readFileSync(`/proc/${controller.pid}/status`, "utf8");
    const kib = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]);
    t.diagnostic(`${Math.round(kib / 1024)} MiB resident`);
    // A hundred more would be source maps.
    assert(kib < 180 * 1024, `${kib} kB`);
  });

  const victims: [string, RegExp, "master" | "worker"][] = [
    ["Hitch", /\/hitch/, "master"],
    ["a worker of Hitch", /\/hitch/, "worker"],
    ["Balance", /\/balance/, "master"],
    ["a worker of Balance", /\/balance/, "worker"],
  ];
  for (const [what, name, role] of victims) {
    it(`serves again after kill -9 of ${what}, without a zombie, and readiness tells the truth`, async (t) => {
      const before = await container.pid();
      process.kill((await find(name, role)).pid, "SIGKILL");
      const { ms, lie, seenUnready } = await served();
      t.diagnostic(`served again after ${ms} ms; readiness was wrong for ${lie} ms`);
      assert(lie <= LAG_MS, `readiness said yes for ${lie} ms while nobody answered`);
      // A worker is replaced by its master, which went on accepting.
      if (role === "master") assert(seenUnready, "readiness said no meanwhile");
      await assertNoZombie();
      assert.equal(await container.pid(), before, "the container went on");
    });
  }

  for (const what of ["the controller", "the init"]) {
    it(`ends when ${what} is killed, and serves again when it is started anew on the same volumes`, async (t) => {
      const init = await container.pid();
      const controller = (await container.processes()).find(({ args }) => args.includes("/lib/node "));
      assert(controller);
      process.kill(what === "the init" ? init : controller.pid, "SIGKILL");
      assert.equal(await container.exited(), 137);
      assert.equal(await ready(), false);
      // As kubelet would.
      container.start();
      const { ms, lie, seenUnready } = await served();
      t.diagnostic(`served again ${ms} ms after the restart`);
      assert(seenUnready && lie <= LAG_MS);
      await assertNoZombie();
    });
  }

  it("ends with status 0 on SIGTERM", async () => {
    await container.signal("TERM");
    assert.equal(await container.exited(), 0);
    assert.match(container.log, /"msg":"ended"/);
  });

  it("renders, too", async () => {
    const manifests = { source: join(ROOT, "examples"), target: "/manifests" };
    const render = new Container(image, network, ["render", "-f", "/manifests/ingress.yaml"], [manifests]);
    render.start();
    assert.equal(await render.exited(), 0);
    assert.match(render.log, /==> hitch\.conf <==/);
  });
});

async function makeSecret(host: string): Promise<string> {
  const { key, cert } = await generateSelfSigned(`${host}.example`, [`${host}.example`], new Date(), 30);
  const encode = (text: string) => Buffer.from(text).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `${host}-example-tls`, namespace: "demo" },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encode(cert), "tls.key": encode(key) },
  });
}
