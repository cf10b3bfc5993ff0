// SPDX-License-Identifier: Apache-2.0
/** A Kubernetes cluster of one node, in namespaces of its own. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../../test/fixtures/eventually.ts";
import { ApiClient } from "../../kube/lib/api-client.ts";
import { type AuditEvent, readAudit } from "../../kube/lib/audit.ts";
import { Authority } from "../../kube/lib/certificates.ts";
import { makeKubeconfig } from "../../kube/lib/kubeconfig.ts";
import { API_SERVICE_ADDRESS, API_URL, NODE_ADDRESS, NODE_NAME } from "./addresses.ts";
import { findPrograms, type KubeProgram } from "./assets.ts";
import { Cgroup } from "./cgroup.ts";
import {
  CONTAINERD_SOCKET,
  makeCniConfig,
  makeContainerdConfig,
  makeKubeletConfig,
  makeProxyConfig,
  PAUSE_IMAGE,
} from "./configs.ts";
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type Flags,
  schedulerFlags,
  toArgs,
} from "./control-plane.ts";
import { Machine, type Running } from "./machine.ts";
import { readProcess } from "./processes.ts";
import { compileStatic, makeScratchImage } from "./scratch-image.ts";

const START_MS = 120_000;
/** Of directories and control groups; the number of the test's process follows. */
const NAME = "evener-node-";
const CLIENT = "extendedKeyUsage=clientAuth";
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

export class Node {
  readonly work: string;
  readonly kubeconfig: string;
  readonly #machine: Machine;
  readonly #cgroup: Cgroup;
  readonly #authority: Authority;
  /** In the order of their start. */
  readonly #programs: Running[] = [];
  #admin: ApiClient | undefined;

  private constructor(work: string, machine: Machine, cgroup: Cgroup, authority: Authority) {
    this.work = work;
    this.kubeconfig = join(work, "admin.kubeconfig");
    this.#machine = machine;
    this.#cgroup = cgroup;
    this.#authority = authority;
  }

  static async start(): Promise<Node> {
    await removeRemains();
    const work = await mkdtemp(join(tmpdir(), `${NAME}${process.pid}-`));
    for (const dir of ["tmp", "cni", "pods"]) await mkdir(join(work, dir));
    const pause = await compileStatic("pause", work);
    const authority = await Authority.create(work);
    const cgroup = await Cgroup.create(`/${NAME}${process.pid}`);
    const node = new Node(work, await Machine.start(work, pause), cgroup, authority);
    try {
      await node.#startRuntime(pause);
      await node.#startKubernetes();
    } catch (error) {
      await node.dump();
      await node.stop();
      throw error;
    }
    return node;
  }

  /** May do anything. */
  get admin(): ApiClient {
    if (this.#admin === undefined) throw new Error("the API server has not been started");
    return this.#admin;
  }

  /** Resident memory of the node's own programs, in KiB. */
  get rss(): { readonly name: string; readonly rssKiB: number }[] {
    return this.#programs.map(({ name, pid }) => ({ name, rssKiB: readProcess(pid)?.rssKiB ?? 0 }));
  }

  audit(user: string): Promise<AuditEvent[]> {
    return readAudit(join(this.work, "audit.log"), user);
  }

  async importImage(archive: string): Promise<void> {
    await this.#ctr("images", "import", archive);
  }

  /** Another name for an image that is there. */
  async tagImage(from: string, to: string): Promise<void> {
    await this.#ctr("images", "tag", from, to);
  }

  /** A command in the node's namespaces. */
  execute(file: string, ...args: readonly string[]): Promise<string> {
    return this.#machine.execute(file, ...args);
  }

  /** Ends everything; the workloads should be gone already. What is still there afterwards, as text. */
  async stop(): Promise<string[]> {
    this.#admin?.close();
    for (const program of this.#programs.toReversed()) await program.stop();
    await this.#machine.end();
    const left = await this.#cgroup.remove();
    await rm(this.work, { recursive: true, force: true });
    const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
    return [...left, ...mounts.filter((line) => line.includes(this.work))];
  }

  /** The ends of all logs, for whoever has to find out what went wrong. */
  async dump(): Promise<void> {
    const { dumpLogs } = await import("./dump.ts");
    await dumpLogs(this.work);
  }

  async #ctr(...args: readonly string[]): Promise<void> {
    await this.execute("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", ...args);
  }

  async #run(name: string, file: string, args: readonly string[]): Promise<void> {
    this.#programs.push(await this.#machine.run(name, file, args));
  }

  async #startRuntime(pause: string): Promise<void> {
    const config = join(this.work, "containerd.toml");
    await writeFile(config, makeContainerdConfig(this.work));
    await this.#writeJson("cni/10-e2e.conflist", makeCniConfig());
    await writeFile(join(this.work, "resolv.conf"), "");
    await this.#run("containerd", "containerd", ["--config", config]);
    await this.#until("containerd answers", () => this.#ctr("images", "list", "--quiet").then(() => true));
    await this.importImage(await makeScratchImage("pause", pause, PAUSE_IMAGE));
  }

  async #startKubernetes(): Promise<void> {
    const { work } = this;
    const { caFile } = this.#authority;
    const program = await findPrograms();
    const run = (name: KubeProgram, flags: Flags) => this.#run(name, program(name), toArgs(flags));

    await this.#run("etcd", "etcd", toArgs(etcdFlags(work)));
    const names = ["kubernetes.default.svc", "kubernetes.default", "localhost"].map((name) => `DNS:${name}`);
    const addresses = [NODE_ADDRESS, API_SERVICE_ADDRESS, "127.0.0.1"].map((address) => `IP:${address}`);
    const usage = `subjectAltName=${[...names, ...addresses].join(",")}\nextendedKeyUsage=serverAuth`;
    const server = await this.#authority.sign("apiserver", "/CN=kube-apiserver", usage);
    const toKubelet = await this.#authority.sign("to-kubelet", "/O=system:masters/CN=kube-apiserver", CLIENT);
    await this.#writeJson("audit-policy.json", AUDIT_POLICY);
    await run("kube-apiserver", apiServerFlags(work, caFile, server, toKubelet));
    await this.#openAdmin();

    const manager = await this.#addUser("controller-manager", "/CN=system:kube-controller-manager");
    await run("kube-controller-manager", controllerManagerFlags(work, caFile, manager));
    const scheduler = await this.#addUser("scheduler", "/CN=system:kube-scheduler");
    await run("kube-scheduler", schedulerFlags(work, scheduler));
    await this.#writeJson("kubelet.json", makeKubeletConfig(work, caFile, this.#cgroup.path));
    await run("kubelet", {
      kubeconfig: await this.#addUser("kubelet", `/O=system:nodes/CN=system:node:${NODE_NAME}`),
      config: join(work, "kubelet.json"),
      "root-dir": join(work, "kubelet"),
      "hostname-override": NODE_NAME,
      "node-ip": NODE_ADDRESS,
    });
    await this.#writeJson(
      "proxy.json",
      makeProxyConfig(await this.#addUser("proxy", "/CN=system:kube-proxy")),
    );
    await run("kube-proxy", { config: join(work, "proxy.json") });
    await this.#until("the node is ready", () => this.#isReady());
  }

  async #openAdmin(): Promise<void> {
    const { cert, key } = await this.#authority.sign("admin", "/O=system:masters/CN=admin", CLIENT);
    await this.#writeJson("admin.kubeconfig", makeKubeconfig(API_URL, this.#authority.caFile, { cert, key }));
    const [ca, certPem, keyPem] = await Promise.all([
      readFile(this.#authority.caFile),
      readFile(cert),
      readFile(key),
    ]);
    const admin = new ApiClient(API_URL, { ca, cert: certPem, key: keyPem });
    this.#admin = admin;
    await this.#until("the API server is ready", async () => {
      const { status } = await admin.call("GET", "/readyz");
      return status === 200 && (await admin.call("GET", "/api/v1/namespaces/default")).status === 200;
    });
  }

  async #isReady(): Promise<boolean> {
    const { json } = await this.admin.call("GET", `/api/v1/nodes/${NODE_NAME}`);
    const { status, spec } = json as {
      status?: { conditions?: { type: string; status: string }[] };
      spec?: { taints?: unknown[] };
    };
    const ready = status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    // The taint goes a moment later; pods are not placed before.
    return ready === true && (spec?.taints ?? []).length === 0;
  }

  async #addUser(name: string, subject: string): Promise<string> {
    const { cert, key } = await this.#authority.sign(name, subject, CLIENT);
    const file = `${name}.kubeconfig`;
    await this.#writeJson(file, makeKubeconfig(API_URL, this.#authority.caFile, { cert, key }));
    return join(this.work, file);
  }

  /** JSON is YAML. */
  async #writeJson(name: string, value: unknown): Promise<void> {
    await writeFile(join(this.work, name), JSON.stringify(value), { mode: 0o600 });
  }

  async #until(what: string, check: () => Promise<boolean>): Promise<void> {
    let ended: Running | undefined;
    await eventually(
      what,
      async () => {
        ended = this.#programs.find((program) => program.ended);
        return ended !== undefined || check();
      },
      START_MS,
    );
    if (ended !== undefined) throw new Error(`${ended.name} has ended; its log: ${ended.log}`);
  }
}

/** A test that was killed took its node with it, all but files and empty control groups. */
async function removeRemains(): Promise<void> {
  const isDead = (name: string) => {
    const pid = Number(/^\d+/.exec(name.slice(NAME.length))?.[0]);
    return pid > 0 && readProcess(pid) === undefined;
  };
  const groups = (await Cgroup.list(NAME)).filter(isDead);
  for (const name of groups) await (await Cgroup.create(`/${name}`)).remove();
  const dirs = (await readdir(tmpdir())).filter((name) => name.startsWith(NAME) && isDead(name));
  for (const name of dirs) await rm(join(tmpdir(), name), { recursive: true, force: true });
}
