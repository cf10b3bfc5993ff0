// SPDX-License-Identifier: Apache-2.0
/**
 * etcd and a kube-apiserver on free loopback ports, with RBAC, an audit log and certificates of their own. There are no
 * controllers: whoever needs a Service's EndpointSlice writes it.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/fixtures/eventually.ts";
import type { Manifest } from "../../lib/manifests.ts";
import { findFreePorts } from "../../lib/ports.ts";
import { ApiClient } from "./api-client.ts";
import { findAssets } from "./assets.ts";
import { type AuditEvent, readAudit } from "./audit.ts";
import { Authority, type KeyFiles } from "./certificates.ts";
import { makeKubeconfig, type UserAuth } from "./kubeconfig.ts";
import { Program } from "./program.ts";

const RBAC = "rbac.authorization.k8s.io";
const START_TIMEOUT_MS = 120_000;
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

export interface User {
  readonly name: string;
  readonly kubeconfig: string;
}

/** Where there is neither a test nor a suite, as in a benchmark, `stop` is called by hand. */
type Lifetime = Pick<TestContext, "after">;

export class Cluster {
  readonly dir: string;
  readonly url: string;
  readonly #ports: { readonly api: number; readonly etcd: number; readonly peer: number };
  readonly #authority: Authority;
  readonly #server: KeyFiles;
  readonly #adminKey: KeyFiles;
  #admin: ApiClient | undefined;
  #etcd: Program | undefined;
  #apiServer: Program | undefined;
  #users = 0;

  private constructor(
    dir: string,
    ports: readonly number[],
    authority: Authority,
    server: KeyFiles,
    admin: KeyFiles,
  ) {
    const [api = 0, etcd = 0, peer = 0] = ports;
    this.dir = dir;
    this.url = `https://127.0.0.1:${api}`;
    this.#ports = { api, etcd, peer };
    this.#authority = authority;
    this.#server = server;
    this.#adminKey = admin;
  }

  static async start(t?: Lifetime): Promise<Cluster> {
    const dir = await mkdtemp(join(tmpdir(), "evener-kube-"));
    const authority = await Authority.create(dir);
    const names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth";
    const server = await authority.sign("apiserver", "/CN=kube-apiserver", names);
    const admin = await authority.sign("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth");
    const cluster = new Cluster(dir, await findFreePorts(3), authority, server, admin);
    t?.after(() => cluster.stop());
    try {
      await cluster.#startEtcd();
      await cluster.startApiServer();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** May do anything. */
  get admin(): ApiClient {
    if (this.#admin === undefined) throw new Error("the API server has not been started");
    return this.#admin;
  }

  get caFile(): string {
    return this.#authority.caFile;
  }

  /** What the API server shows its clients; the fault proxy shows it as well. */
  get serverKey(): KeyFiles {
    return this.#server;
  }

  get apiServerPid(): number {
    return this.#apiServer?.pid ?? 0;
  }

  async startApiServer(): Promise<void> {
    const { dir } = this;
    const policy = join(dir, "audit-policy.json");
    await writeFile(policy, JSON.stringify(AUDIT_POLICY));
    const flags = {
      "etcd-servers": `http://127.0.0.1:${this.#ports.etcd}`,
      "bind-address": "127.0.0.1",
      "secure-port": this.#ports.api,
      "cert-dir": join(dir, "run"),
      "tls-cert-file": this.#server.cert,
      "tls-private-key-file": this.#server.key,
      "client-ca-file": this.caFile,
      "service-account-key-file": join(dir, "sa.pub"),
      "service-account-signing-key-file": join(dir, "sa.key"),
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-cluster-ip-range": "10.96.0.0/16",
      "authorization-mode": "RBAC",
      "audit-policy-file": policy,
      "audit-log-path": this.#auditLog,
      // The default keeps a backup under another name, and a test would miss what is in it.
      "audit-log-maxsize": 4000,
      // There is no kubelet and nobody to mirror: what the server does on its own account would only cost time.
      "disable-admission-plugins": "ServiceAccount",
      "endpoint-reconciler-type": "none",
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    this.#apiServer = await Program.start(findAssets().apiServer, args, join(dir, "apiserver.log"));
    this.#admin?.close();
    const { cert, key } = this.#adminKey;
    const [ca, certPem, keyPem] = await Promise.all([this.caFile, cert, key].map((path) => readFile(path)));
    if (ca === undefined || certPem === undefined || keyPem === undefined) throw new Error("no certificates");
    this.#admin = new ApiClient(this.url, { ca, cert: certPem, key: keyPem });
    await this.#waitReady(this.#apiServer);
  }

  async stopApiServer(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#apiServer?.stop(signal);
  }

  async stop(): Promise<void> {
    this.#admin?.close();
    await this.#apiServer?.stop();
    await this.#etcd?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A client certificate of a user of that name, and a kubeconfig with it; `server` may be the fault proxy's URL. */
  async addUser(name: string, server = this.url): Promise<User> {
    this.#users++;
    const file = `user-${this.#users}`;
    const auth = await this.#authority.sign(file, `/O=e2e/CN=${name}`, "extendedKeyUsage=clientAuth");
    return { name, kubeconfig: await this.#writeKubeconfig(file, server, auth) };
  }

  /** A kubeconfig whose token stands in a file, as a service account's does in a pod. */
  async writeTokenKubeconfig(tokenFile: string, server = this.url): Promise<string> {
    this.#users++;
    return this.#writeKubeconfig(`user-${this.#users}`, server, { tokenFile });
  }

  /** A bound token of a service account, which is made when it is not there. */
  async createToken(name: string, namespace = "default"): Promise<string> {
    await this.admin.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const { status, json } = await this.admin.call("POST", path, request);
    const token = (json as { status?: { token?: string } }).status?.token;
    if (token === undefined) throw new Error(`no token: ${status} ${JSON.stringify(json)}`);
    return token;
  }

  /** A user with exactly these rules, in all namespaces. */
  async addUserWithRules(name: string, rules: readonly Manifest[], server = this.url): Promise<User> {
    await this.addRules(name, rules, [{ apiGroup: RBAC, kind: "User", name }]);
    return this.addUser(name, server);
  }

  /** A ClusterRole of that name with these rules, bound everywhere. */
  addRules(name: string, rules: readonly Manifest[], subjects: readonly Manifest[]): Promise<void> {
    const apiVersion = `${RBAC}/v1`;
    const roleRef = { apiGroup: RBAC, kind: "ClusterRole", name };
    return this.admin.apply(
      { apiVersion, kind: "ClusterRole", metadata: { name }, rules },
      { apiVersion, kind: "ClusterRoleBinding", metadata: { name }, subjects, roleRef },
    );
  }

  /** A user who may do anything, known by name in the audit log. */
  addPowerfulUser(name: string, server = this.url): Promise<User> {
    return this.addUserWithRules(name, [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }], server);
  }

  addNamespaces(...names: readonly string[]): Promise<void> {
    return this.admin.apply(
      ...names.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    );
  }

  /** What the audit log has of this user (or service account), in order. */
  audit(user: string): Promise<AuditEvent[]> {
    return readAudit(this.#auditLog, user);
  }

  get #auditLog(): string {
    return join(this.dir, "audit.log");
  }

  async #writeKubeconfig(name: string, server: string, auth: UserAuth): Promise<string> {
    const path = join(this.dir, `${name}.kubeconfig`);
    await writeFile(path, JSON.stringify(makeKubeconfig(server, this.caFile, auth)), { mode: 0o600 });
    return path;
  }

  async #startEtcd(): Promise<void> {
    const [client, peer] = [this.#ports.etcd, this.#ports.peer].map((port) => `http://127.0.0.1:${port}`);
    const args = [
      ...["--data-dir", join(this.dir, "etcd"), "--name", "default", "--quota-backend-bytes", "2000000000"],
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
      `--initial-cluster=default=${peer}`,
    ];
    const etcd = await Program.start(findAssets().etcd, args, join(this.dir, "etcd.log"));
    this.#etcd = etcd;
    await eventually(
      "etcd answers",
      async () => {
        await etcd.checkAlive();
        return (await fetch(`${client}/health`)).ok;
      },
      START_TIMEOUT_MS,
    );
  }

  async #waitReady(server: Program): Promise<void> {
    await eventually(
      "the API server is ready",
      async () => {
        if (server.ended) return true;
        const ready = (await this.admin.call("GET", "/readyz")).status === 200;
        // The namespace is made by a hook after the start.
        return ready && (await this.admin.call("GET", "/api/v1/namespaces/default")).status === 200;
      },
      START_TIMEOUT_MS,
    );
    await server.checkAlive();
  }
}
