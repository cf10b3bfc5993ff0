// SPDX-License-Identifier: Apache-2.0
/** A release of the chart in the cluster. */
import { CHART_DIR, runHelm, type Values } from "../../../charts/tools/helm.ts";

export class Release {
  readonly name: string;
  readonly namespace: string;
  readonly #kubeconfig: string;

  constructor(name: string, namespace: string, kubeconfig: string) {
    this.name = name;
    this.namespace = namespace;
    this.#kubeconfig = kubeconfig;
  }

  /** Of its pods. */
  get selector(): string {
    return `app.kubernetes.io/name=evener,app.kubernetes.io/instance=${this.name}`;
  }

  async install(values: Values, chart = CHART_DIR): Promise<void> {
    await this.#helm(["install", this.name, chart, "--values", "-"], values);
  }

  async upgrade(values: Values): Promise<void> {
    await this.#helm(["upgrade", this.name, CHART_DIR, "--reset-then-reuse-values", "--values", "-"], values);
  }

  async uninstall(): Promise<void> {
    await this.#helm(["uninstall", this.name, "--wait"]);
  }

  async #helm(args: readonly string[], values: Values = {}): Promise<void> {
    const where = ["--namespace", this.namespace, "--kubeconfig", this.#kubeconfig];
    const { ok, stdout, stderr } = await runHelm([...args, ...where], JSON.stringify(values));
    if (!ok) throw new Error(`helm ${args[0]}: ${stderr}\n${stdout}`);
  }
}
